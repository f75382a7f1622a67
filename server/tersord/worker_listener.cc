#include "server/tersord/worker_listener.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "server/base/message_limits.h"
#include "server/metrics/rpc_interceptor.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// A worker has two calls open at most: its heartbeat and its events.
constexpr int kMaxThreads = 64;

// The name of a socket must fit into sockaddr_un, its end included, and gRPC reads "unix:PATH" as a URI.
bool FitsSocketName(const fs::path& path) {
  return path.native().size() < sizeof(sockaddr_un::sun_path) &&
         path.native().find_first_of("#?%") == std::string::npos;
}

// A new folder that only its owner may enter.
absl::StatusOr<fs::path> MakePrivateFolder() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  std::error_code error;
  const fs::path parent = runtime != nullptr && fs::is_directory(runtime, error) ? fs::path(runtime) : fs::path("/tmp");
  std::string name = (parent / "tersord-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return ErrnoStatus(errno, "making folder", name);
  return fs::path(name);
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerListener>> WorkerListener::Start(const DataFolder& folder,
                                                                      WorkerServiceImpl& service,
                                                                      ServerMetrics& metrics, const Clock& clock) {
  fs::path socket = folder.root() / "workers.sock";
  fs::path private_folder;
  if (!FitsSocketName(socket)) {
    TERSOR_ASSIGN_OR_RETURN(private_folder, MakePrivateFolder());
    socket = private_folder / "workers.sock";
  }
  std::unique_ptr<WorkerListener> listener(new WorkerListener(folder, std::move(socket), std::move(private_folder)));
  TERSOR_RETURN_IF_ERROR(listener->Listen(service, metrics, clock));
  return listener;
}

absl::Status WorkerListener::Listen(WorkerServiceImpl& service, ServerMetrics& metrics, const Clock& clock) {
  // What a killed server left; the data folder's lock says that it is nobody else's.
  std::error_code error;
  fs::remove(socket_, error);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(absl::StrCat("unix:", socket_.string()), grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxWorkerMessageBytes));
  builder.SetResourceQuota(grpc::ResourceQuota("tersord-workers").SetMaxThreads(kMaxThreads));
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<RpcInterceptorFactory>(metrics, clock));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  builder.RegisterService(&service);
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen for workers on ", socket_.string()));
  }
  if (chmod(socket_.c_str(), 0600) != 0) return ErrnoStatus(errno, "protecting socket", socket_);
  return WriteFileAtomically(folder_.worker_endpoint_file(), absl::StrCat("unix:", socket_.string(), "\n"));
}

WorkerListener::~WorkerListener() {
  Shutdown(absl::ZeroDuration());
  std::error_code error;
  fs::remove(folder_.worker_endpoint_file(), error);
  fs::remove(socket_, error);
  if (!private_folder_.empty()) fs::remove(private_folder_, error);
}

void WorkerListener::Shutdown(absl::Duration grace) {
  if (grpc_ != nullptr) grpc_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
}

}  // namespace tersor
