#include "server/tersord/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/abandoned_files.h"
#include "core/base/atomic_file.h"
#include "grpc/health/v1/health.pb.h"
#include "server/auth/audit_interceptor.h"
#include "server/auth/token_processor.h"
#include "server/base/log.h"
#include "server/base/status_code_name.h"
#include "server/base/valid_text.h"
#include "server/engine/supervisor_loop.h"
#include "server/engine/upload_store.h"
#include "server/executor/local_executor.h"
#include "server/executor/machine_limits.h"
#include "server/http/admin_pages.h"
#include "server/http/http_server.h"
#include "server/http/readiness.h"
#include "server/metrics/metrics_refresh.h"
#include "server/metrics/rpc_interceptor.h"
#include "server/metrics/served_rpcs.h"
#include "server/rpc/admission.h"
#include "server/rpc/artifact_service.h"
#include "server/rpc/job_service.h"
#include "server/rpc/model_service.h"
#include "server/rpc/report_service.h"
#include "server/rpc/worker_service.h"
#include "server/store/sqlite_job_store.h"
#include "server/store/sqlite_model_store.h"
#include "server/store/store_keeper.h"
#include "server/tersord/listen_address.h"
#include "server/tersord/service_credentials.h"
#include "server/tersord/tls_stage.h"
#include "server/tersord/token_access.h"
#include "server/tersord/worker_listener.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// A stream holds a thread, and so does a call that computes or waits for its turn to; the rest are short calls.
constexpr int kMaxStreams = 128;
constexpr int kMaxComputing = 4;
constexpr int kMaxWaiting = 24;
constexpr int kMaxThreads = 192;
constexpr absl::Duration kStreamIdle = absl::Seconds(60);
// A chunk of an uploaded file, or the names of all its files.
constexpr int kMaxMessageBytes = 8 << 20;
// Of what a refused caller says that it called.
constexpr size_t kMaxRpcBytes = 200;

ServerLimits MakeLimits(const ServerOptions& options) {
  const MachineLimits machine = ReadMachineLimits();
  ServerLimits limits;
  limits.threads = options.threads > 0 ? options.threads : machine.threads;
  // A tenth is left to the system and to us where nobody said how much to take.
  limits.memory_bytes = options.memory_bytes > 0 ? options.memory_bytes : machine.memory_bytes / 10 * 9;
  limits.max_attempts = options.max_attempts;
  limits.max_queued = options.max_queued;
  limits.model_roots = options.model_roots;
  limits.data_paths = options.data_paths;
  return limits;
}

std::optional<MemoryCgroups> PrepareCgroups() {
  const absl::StatusOr<std::string> own = ReadFile("/proc/self/cgroup");
  const std::optional<std::string> path = own.ok() ? ParseCgroupPath(*own, "") : std::nullopt;
  const fs::path folder = fs::path("/sys/fs/cgroup") / fs::path(path.value_or("/")).relative_path();
  absl::StatusOr<MemoryCgroups> groups = MemoryCgroups::Prepare(folder, getpid());
  if (groups.ok()) return *std::move(groups);
  Log(LogLevel::kInfo, "no cgroup v2 of our own: the server itself watches the memory of workers",
      {{"detail", std::string(groups.status().message())}});
  return std::nullopt;
}

// What killed servers and workers left half-done. What lies in a job's folder goes before its next attempt or with it.
void RemoveLeftovers(const DataFolder& folder) {
  for (const fs::path& part : {folder.cache(), folder.blobs()}) RemoveAbandoned(part);
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.models(), error)) {
    // No model's name begins with a dot: an upload that was being linked, a model that was being deleted.
    std::error_code ignored;
    if (entry.path().filename().string()[0] == '.') fs::remove_all(entry.path(), ignored);
  }
}

absl::Status CheckAddresses(const ServerOptions& options) {
  const ListenProtection protection = {
      .tls = options.tls.enabled(), .tokens = options.tokens, .insecure = options.insecure_listen};
  TERSOR_ASSIGN_OR_RETURN(const ListenAddress service, ParseListenAddress("--listen", options.listen));
  TERSOR_RETURN_IF_ERROR(CheckServiceAddress(service, protection));
  TERSOR_ASSIGN_OR_RETURN(const ListenAddress metrics, ParseListenAddress("--metrics-listen", options.metrics_listen));
  TERSOR_RETURN_IF_ERROR(CheckMetricsAddress(metrics, protection));
  if (!service.IsLoopback() && !protection.tls) {
    Log(LogLevel::kWarning,
        "--insecure-listen: whoever reaches the address may run jobs, read models and results, and read along",
        {{"address", options.listen}});
  }
  if (!service.IsLoopback() && protection.tls && !protection.tokens) {
    Log(LogLevel::kWarning,
        options.tls.client_ca.empty()
            ? "--insecure-listen: no tokens are asked for, whoever reaches the address may run jobs and read results"
            : "--insecure-listen: no tokens are asked for, whoever has a client certificate may do everything",
        {{"address", options.listen}});
  }
  if (!metrics.IsLoopback()) {
    Log(LogLevel::kWarning, "--insecure-listen: whoever reaches the address of --metrics-listen may read the metrics",
        {{"address", options.metrics_listen}});
  }
  return absl::OkStatus();
}

class TersorServer final : public Server {
 public:
  TersorServer(const ServerOptions& options, Planner& planner, std::unique_ptr<DataFolder> folder,
               std::unique_ptr<GuardedDatabase> database)
      : stop_workers_on_exit_(options.stop_workers_on_exit),
        limits_(MakeLimits(options)),
        folder_(std::move(folder)),
        database_(std::move(database)),
        jobs_(*database_),
        models_(*database_),
        tls_(options.tls, folder_->root() / "tls"),
        tokens_(*database_, clock_),
        limiter_(options.calls_per_second, clock_),
        audit_(folder_->audit_log()),
        executor_(options.worker, PrepareCgroups()),
        answers_(jobs_, *folder_),
        supervisor_(jobs_, executor_, *folder_, answers_, clock_, metrics_, limits_,
                    {.heartbeat_timeout = absl::Seconds(options.heartbeat_timeout_seconds)}),
        sweeps_(jobs_, supervisor_, clock_),
        catalog_(models_, jobs_, *folder_, planner, clock_, limits_),
        submission_(jobs_, catalog_, planner, answers_, clock_, limits_),
        uploads_(models_, catalog_, *folder_, clock_),
        garbage_(jobs_, models_, *folder_, clock_),
        admission_{StreamLimit(kMaxStreams), CallGate(kMaxComputing, kMaxWaiting), IdleWatch(kStreamIdle, clock_)},
        job_service_(jobs_, submission_, supervisor_, planner, garbage_, *folder_, admission_),
        artifact_service_(jobs_, *folder_, admission_, catalog_, planner),
        report_service_(jobs_, *folder_),
        model_service_(models_, catalog_, uploads_, garbage_, admission_),
        worker_service_(supervisor_) {}

  ~TersorServer() override {
    Shutdown(absl::ZeroDuration());
    loop_.reset();
    RemoveEndpointFiles();
  }

  absl::Status Begin(const ServerOptions& options) {
    // What a killed server left would send clients to a port that nobody or somebody else has.
    RemoveEndpointFiles();
    TERSOR_RETURN_IF_ERROR(tls_.Open());
    if (options.tokens) TERSOR_RETURN_IF_ERROR(tokens_.Open(*folder_));
    // Early, so that probes are answered while the rest starts.
    TERSOR_RETURN_IF_ERROR(StartHttp(options.metrics_listen));
    RemoveLeftovers(*folder_);
    TERSOR_RETURN_IF_ERROR(supervisor_.Recover());
    TERSOR_ASSIGN_OR_RETURN(worker_listener_, WorkerListener::Start(*folder_, worker_service_, metrics_, clock_));
    TERSOR_RETURN_IF_ERROR(Listen(options));
    readiness_.SetPhase(Readiness::Phase::kServing);
    // Last, as its presence says that the server is ready.
    TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder_->endpoint_file(), absl::StrCat(address_, "\n")));
    keeper_ = std::make_unique<StoreKeeper>(folder_->database(), jobs_, database_->ballast,
                                            absl::Hours(options.backup_hours), clock_);
    loop_ = std::make_unique<SupervisorLoop>(supervisor_, sweeps_, jobs_);
    Log(LogLevel::kInfo, "tersord started",
        {{"address", address_},
         {"metrics", metrics_address()},
         {"data", folder_->root().string()},
         {"threads", int64_t{limits_.threads}},
         {"memory_bytes", limits_.memory_bytes}});
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }
  std::string metrics_address() const override { return http_->address(); }

  void Drain() override {
    Log(LogLevel::kInfo, "draining");
    readiness_.SetPhase(Readiness::Phase::kDraining);
    grpc_->GetHealthCheckService()->SetServingStatus(false);
    if (stop_workers_on_exit_) {
      supervisor_.StopWorkers();
    } else {
      supervisor_.Drain();
    }
  }

  bool Drained() const override { return !stop_workers_on_exit_ || !supervisor_.HasWorkers(); }

  void Shutdown(absl::Duration grace) override {
    if (grpc_ != nullptr) grpc_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
    if (worker_listener_ != nullptr) worker_listener_->Shutdown(grace);
  }

 private:
  void RemoveEndpointFiles() {
    std::error_code error;
    fs::remove(folder_->endpoint_file(), error);
    fs::remove(folder_->metrics_endpoint_file(), error);
    fs::remove(folder_->worker_endpoint_file(), error);
  }

  // Null where calls need no token.
  std::shared_ptr<grpc::AuthMetadataProcessor> TokenCheck() {
    if (tokens_.registry() == nullptr) return nullptr;
    return std::make_shared<TokenProcessor>(*tokens_.registry(), limiter_,
                                            [this](const AuthRefusal& refusal) { OnRefusal(refusal); });
  }

  // Refusals of strangers, those of calls that were too many, and more than one a second of one token are counted
  // alone: a log that they fill would push out what others did.
  void OnRefusal(const AuthRefusal& refusal) {
    metrics_.OnAuthRefusal(refusal.reason);
    if (refusal.who.token.empty() || refusal.reason == kRateLimited) return;
    if (refusals_.Take(refusal.who.token) > absl::ZeroDuration()) return;
    audit_.Append({.time = clock_.Now(),
                   .who = refusal.who,
                   .peer = "",
                   .rpc = ToValidText(RpcLabel(refusal.rpc), kMaxRpcBytes),
                   .target = "",
                   .code = StatusCodeName(refusal.code),
                   .reason = refusal.reason});
  }

  absl::Status StartHttp(const std::string& address) {
    refresh_ = std::make_unique<MetricsRefresh>(metrics_, jobs_, [this](absl::Status status) {
      readiness_.OnStore(std::move(status));
      tokens_.StoreUses();
      tls_.Refresh();
    });
    absl::StatusOr<std::unique_ptr<HttpServer>> http =
        HttpServer::Start(address, AdminPages([this] { return metrics_.Text(); }, readiness_));
    if (!http.ok()) {
      return absl::UnavailableError(absl::StrCat("metrics: ", http.status().message(),
                                                 "; choose another address with --metrics-listen ",
                                                 "(port 0 takes a free one)"));
    }
    http_ = *std::move(http);
    return WriteFileAtomically(folder_->metrics_endpoint_file(), absl::StrCat(metrics_address(), "\n"));
  }

  absl::Status Listen(const ServerOptions& options) {
    TERSOR_ASSIGN_OR_RETURN(const ListenAddress listen, ParseListenAddress("--listen", options.listen));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    // Reflection answers from the linked descriptors; the default health service brings none.
    grpc::health::v1::HealthCheckRequest::descriptor();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options.listen, ServiceCredentials(tls_.copies(), TokenCheck()), &port);
    // Otherwise two servers would share one port, each getting some of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // A watcher whose machine vanished without a word is noticed.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.SetResourceQuota(grpc::ResourceQuota("tersord").SetMaxThreads(kMaxThreads));
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
    interceptors.push_back(std::make_unique<RpcInterceptorFactory>(metrics_, clock_));
    interceptors.push_back(std::make_unique<AuditInterceptorFactory>(audit_, tokens_.registry(), clock_));
    builder.experimental().SetInterceptorCreators(std::move(interceptors));
    for (grpc::Service* service :
         std::initializer_list<grpc::Service*>{&job_service_, &artifact_service_, &report_service_, &model_service_}) {
      builder.RegisterService(service);
    }
    if (tokens_.service() != nullptr) builder.RegisterService(tokens_.service());
    grpc_ = builder.BuildAndStart();
    if (grpc_ == nullptr || port == 0) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", options.listen,
                                                 ": the port is in use or not allowed; is another tersord running? ",
                                                 "Choose another with --listen (port 0 takes a free one)"));
    }
    // A probe may ask for the whole server ("") or for one service.
    for (const char* service : {v1::JobService::service_full_name(), v1::ModelService::service_full_name(),
                                v1::ArtifactService::service_full_name(), v1::ReportService::service_full_name()}) {
      grpc_->GetHealthCheckService()->SetServingStatus(service, true);
    }
    address_ = absl::StrCat(listen.host, ":", port);
    return absl::OkStatus();
  }

  const bool stop_workers_on_exit_;
  const ServerLimits limits_;
  const SystemClock clock_;
  Readiness readiness_{clock_};
  ServerMetrics metrics_;
  const std::unique_ptr<DataFolder> folder_;
  const std::unique_ptr<GuardedDatabase> database_;
  SqliteJobStore jobs_;
  SqliteModelStore models_;
  TlsStage tls_;
  TokenAccess tokens_;
  RateLimiter limiter_;
  RateLimiter refusals_{1, clock_};
  AuditLog audit_;
  LocalExecutor executor_;
  AnswerCache answers_;
  Supervisor supervisor_;
  SweepKeeper sweeps_;
  ModelCatalog catalog_;
  Submission submission_;
  UploadStore uploads_;
  GarbageCollector garbage_;
  Admission admission_;
  JobServiceImpl job_service_;
  ArtifactServiceImpl artifact_service_;
  ReportServiceImpl report_service_;
  ModelServiceImpl model_service_;
  WorkerServiceImpl worker_service_;
  std::unique_ptr<WorkerListener> worker_listener_;
  std::unique_ptr<grpc::Server> grpc_;
  std::string address_;
  std::unique_ptr<StoreKeeper> keeper_;
  std::unique_ptr<MetricsRefresh> refresh_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<SupervisorLoop> loop_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Planner& planner) {
  TERSOR_RETURN_IF_ERROR(CheckAddresses(options));
  TERSOR_RETURN_IF_ERROR(ReadTlsFiles(options.tls).status());
  TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<DataFolder> folder, DataFolder::Open(options.data));
  TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<GuardedDatabase> database, GuardedDatabase::Open(folder->database()));
  auto server = std::make_unique<TersorServer>(options, planner, std::move(folder), std::move(database));
  TERSOR_RETURN_IF_ERROR(server->Begin(options));
  return server;
}

}  // namespace tersor
