#include "tests/client/testing/fake_server.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/compare/comparison.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace tersor::client {
namespace {

using grpc::ServerContext;
using grpc::Status;

Status NotFound(const std::string& what) { return Status(grpc::StatusCode::NOT_FOUND, what + " is not known"); }

bool Ends(const v1::Event& event) {
  v1::JobState state = event.state_changed().state();
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED;
}

class FakeJobs final : public v1::JobService::Service {
 public:
  explicit FakeJobs(FakeState& state) : state_(state) {}

  Status SubmitJob(ServerContext*, const v1::SubmitJobRequest* request, v1::Job* job) override {
    std::lock_guard lock(state_.mutex);
    state_.submits.push_back(*request);
    *job = state_.job;
    return state_.submit_status;
  }
  Status EstimateJob(ServerContext*, const v1::EstimateJobRequest*, v1::Plan* plan) override {
    std::lock_guard lock(state_.mutex);
    *plan = state_.plan;
    return state_.submit_status;
  }
  Status GetJob(ServerContext*, const v1::GetJobRequest* request, v1::Job* job) override {
    std::lock_guard lock(state_.mutex);
    *job = state_.job;
    return request->id() == state_.job.id() ? Status::OK : NotFound("job " + request->id());
  }
  Status ListJobs(ServerContext*, const v1::ListJobsRequest* request, v1::ListJobsResponse* response) override {
    std::lock_guard lock(state_.mutex);
    size_t first = request->page_token().empty() ? 0 : std::stoul(request->page_token());
    size_t last = std::min(state_.jobs.size(), first + request->page_size());
    for (size_t i = first; i < last; ++i) *response->add_jobs() = state_.jobs[i];
    if (last < state_.jobs.size()) response->set_next_page_token(std::to_string(last));
    return Status::OK;
  }
  Status CancelJob(ServerContext*, const v1::CancelJobRequest* request, v1::Job* job) override {
    std::lock_guard lock(state_.mutex);
    if (request->id() != state_.job.id()) return NotFound("job " + request->id());
    ++state_.cancels;
    state_.job.set_state(v1::JOB_STATE_CANCELLED);
    *job = state_.job;
    return Status::OK;
  }
  Status WatchJob(ServerContext* context, const v1::WatchJobRequest* request,
                  grpc::ServerWriter<v1::Event>* writer) override {
    std::vector<v1::Event> events;
    int break_after = 0;
    {
      std::lock_guard lock(state_.mutex);
      if (request->id() != state_.job.id()) return NotFound("job " + request->id());
      state_.watches.push_back(request->after_sequence());
      events = state_.events;
      break_after = state_.break_after;
    }
    int sent = 0;
    for (const v1::Event& event : events) {
      if (event.sequence() <= request->after_sequence()) continue;
      writer->Write(event);
      if (Ends(event)) return Status::OK;
      if (++sent == break_after) return state_.break_status;
    }
    while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return Status::CANCELLED;
  }
  Status GetJobLogs(ServerContext*, const v1::GetJobLogsRequest*, grpc::ServerWriter<v1::LogChunk>* writer) override {
    std::lock_guard lock(state_.mutex);
    for (const v1::LogChunk& chunk : state_.logs) writer->Write(chunk);
    return Status::OK;
  }
  Status CollectGarbage(ServerContext*, const v1::CollectGarbageRequest* request,
                        v1::CollectGarbageResponse* response) override {
    std::lock_guard lock(state_.mutex);
    state_.collections.push_back(*request);
    *response = state_.garbage;
    return Status::OK;
  }
  Status ListMethods(ServerContext*, const v1::ListMethodsRequest*, v1::ListMethodsResponse* response) override {
    v1::MethodInfo& method = *response->add_methods();
    method.set_name("rtn");
    method.set_family("quantize");
    method.set_summary("round to nearest");
    return Status::OK;
  }

 private:
  FakeState& state_;
};

class FakeReports final : public v1::ReportService::Service {
 public:
  explicit FakeReports(FakeState& state) : state_(state) {}
  Status GetReport(ServerContext*, const v1::GetReportRequest* request, v1::Report* report) override {
    std::lock_guard lock(state_.mutex);
    *report = state_.report;
    return request->job_id() == state_.report.job_id() ? Status::OK : NotFound("job " + request->job_id());
  }
  Status CompareReports(ServerContext*, const v1::CompareReportsRequest* request,
                        v1::ReportComparison* comparison) override {
    std::lock_guard lock(state_.mutex);
    std::vector<NamedReport> reports;
    for (const std::string& id : request->job_ids()) {
      if (id != state_.report.job_id()) return NotFound("job " + id);
      reports.push_back({id, state_.report});
    }
    *comparison = *tersor::CompareReports(reports, {.force = request->force(), .confidence = request->confidence()});
    return Status::OK;
  }

 private:
  FakeState& state_;
};

class FakeModels final : public v1::ModelService::Service {
 public:
  explicit FakeModels(FakeState& state) : state_(state) {}

  Status ImportModel(ServerContext*, const v1::ImportModelRequest* request, v1::Model* model) override {
    std::lock_guard lock(state_.mutex);
    state_.imports.push_back(request->path());
    model->set_name(request->name());
    return Status::OK;
  }
  Status ListModels(ServerContext*, const v1::ListModelsRequest*, v1::ListModelsResponse* response) override {
    std::lock_guard lock(state_.mutex);
    for (const v1::Model& model : state_.models) *response->add_models() = model;
    return Status::OK;
  }
  Status StartUpload(ServerContext*, const v1::StartUploadRequest* request,
                     v1::StartUploadResponse* response) override {
    std::lock_guard lock(state_.mutex);
    state_.upload = *request;
    response->set_upload_id("u1");
    for (const v1::FileDigest& file : request->files()) {
      auto& answer = *response->add_files();
      answer.set_path(file.path());
      answer.set_offset(static_cast<int64_t>(state_.blobs[file.sha256()].size()));
    }
    return Status::OK;
  }
  Status UploadFile(ServerContext*, grpc::ServerReader<v1::UploadFileRequest>* reader,
                    v1::UploadFileResponse* response) override {
    v1::UploadFileRequest message;
    if (!reader->Read(&message)) return Status(grpc::StatusCode::INVALID_ARGUMENT, "no header");
    std::lock_guard lock(state_.mutex);
    auto file = std::find_if(state_.upload.files().begin(), state_.upload.files().end(),
                             [&](const auto& f) { return f.path() == message.header().path(); });
    if (file == state_.upload.files().end()) return NotFound(message.header().path());
    std::string& blob = state_.blobs[file->sha256()];
    if (message.header().offset() != static_cast<int64_t>(blob.size())) {
      return Status(grpc::StatusCode::OUT_OF_RANGE, "wrong offset");
    }
    while (reader->Read(&message)) {
      blob += message.chunk();
      state_.uploaded_bytes += static_cast<int64_t>(message.chunk().size());
      if (state_.break_upload_after >= 0 && state_.uploaded_bytes >= state_.break_upload_after) {
        state_.break_upload_after = -1;
        return Status(grpc::StatusCode::UNAVAILABLE, "broken");
      }
    }
    if (Sha256Hex(blob) != file->sha256()) return Status(grpc::StatusCode::DATA_LOSS, "wrong content");
    response->set_offset(static_cast<int64_t>(blob.size()));
    response->set_complete(true);
    return Status::OK;
  }
  Status FinishUpload(ServerContext*, const v1::FinishUploadRequest*, v1::Model* model) override {
    std::lock_guard lock(state_.mutex);
    model->set_name(state_.upload.name());
    model->set_uploaded(true);
    return Status::OK;
  }

 private:
  FakeState& state_;
};

class FakeTokens final : public v1::TokenService::Service {
 public:
  explicit FakeTokens(FakeState& state) : state_(state) {}

  Status CreateToken(ServerContext*, const v1::CreateTokenRequest* request,
                     v1::CreateTokenResponse* response) override {
    std::lock_guard lock(state_.mutex);
    state_.new_tokens.push_back(*request);
    response->mutable_token()->set_id("t1");
    response->set_secret("tsr_secret");
    return Status::OK;
  }
  Status ListTokens(ServerContext* context, const v1::ListTokensRequest*, v1::ListTokensResponse* response) override {
    std::lock_guard lock(state_.mutex);
    const auto header = context->client_metadata().find("authorization");
    if (header != context->client_metadata().end()) {
      state_.authorization = std::string(header->second.data(), header->second.size());
    }
    for (const v1::Token& token : state_.tokens) *response->add_tokens() = token;
    return Status::OK;
  }
  Status RevokeToken(ServerContext*, const v1::RevokeTokenRequest* request, google::protobuf::Empty*) override {
    std::lock_guard lock(state_.mutex);
    state_.revoked.push_back(request->id());
    return request->id() == "t1" ? Status::OK : NotFound("token " + request->id());
  }

 private:
  FakeState& state_;
};

class FakeArtifacts final : public v1::ArtifactService::Service {
 public:
  explicit FakeArtifacts(FakeState& state) : state_(state) {}

  Status ListArtifacts(ServerContext*, const v1::ListArtifactsRequest*, v1::ListArtifactsResponse* response) override {
    std::lock_guard lock(state_.mutex);
    for (const v1::ArtifactInfo& artifact : state_.artifacts) *response->add_artifacts() = artifact;
    return Status::OK;
  }
  Status DownloadArtifact(ServerContext*, const v1::DownloadArtifactRequest* request,
                          grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) override {
    std::lock_guard lock(state_.mutex);
    auto file = state_.files.find(request->path());
    if (file == state_.files.end()) return NotFound(request->path());
    state_.download_offsets.push_back(request->offset());
    constexpr size_t kChunk = 1000;
    v1::DownloadArtifactResponse response;
    response.set_total_bytes(static_cast<int64_t>(file->second.size()));
    for (size_t at = request->offset(); at < file->second.size(); at += kChunk) {
      response.set_chunk(file->second.substr(at, kChunk));
      writer->Write(response);
      state_.downloaded_bytes += static_cast<int64_t>(response.chunk().size());
      if (state_.break_download_after >= 0 && state_.downloaded_bytes >= state_.break_download_after) {
        state_.break_download_after = -1;
        return Status(grpc::StatusCode::UNAVAILABLE, "broken");
      }
    }
    return Status::OK;
  }

 private:
  FakeState& state_;
};

}  // namespace

FakeServer::FakeServer() {
  services_.push_back(std::make_unique<FakeJobs>(state_));
  services_.push_back(std::make_unique<FakeReports>(state_));
  services_.push_back(std::make_unique<FakeModels>(state_));
  services_.push_back(std::make_unique<FakeArtifacts>(state_));
  services_.push_back(std::make_unique<FakeTokens>(state_));
  Start();
}

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Start() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port_), grpc::InsecureServerCredentials(), &port);
  for (const auto& service : services_) builder.RegisterService(service.get());
  server_ = builder.BuildAndStart();
  port_ = port;
}

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_ = nullptr;
}

Status ViolationsStatus(const std::vector<std::pair<std::string, std::string>>& violations) {
  google::rpc::BadRequest request;
  for (const auto& [field, description] : violations) {
    auto& violation = *request.add_field_violations();
    violation.set_field(field);
    violation.set_description(description);
  }
  google::rpc::ErrorInfo info;
  info.set_reason("INVALID_RECIPE");
  google::rpc::Status status;
  status.set_code(grpc::StatusCode::INVALID_ARGUMENT);
  status.set_message("the recipe has faults");
  status.add_details()->PackFrom(request);
  status.add_details()->PackFrom(info);
  return Status(grpc::StatusCode::INVALID_ARGUMENT, status.message(), status.SerializeAsString());
}

v1::Event StateEvent(int64_t sequence, v1::JobState state) {
  v1::Event event;
  event.set_sequence(sequence);
  event.mutable_state_changed()->set_state(state);
  return event;
}

v1::Event ProgressEvent(int64_t sequence, const std::string& stage, int done, int total) {
  v1::Event event;
  event.set_sequence(sequence);
  v1::Progress& progress = *event.mutable_progress();
  progress.set_stage(stage);
  progress.set_done(done);
  progress.set_total(total);
  progress.set_unit("blocks");
  progress.set_fraction(static_cast<double>(done) / total);
  return event;
}

}  // namespace tersor::client
