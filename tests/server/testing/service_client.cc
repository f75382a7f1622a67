#include "tests/server/testing/service_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <utility>

#include "google/rpc/status.pb.h"

namespace tersor::testing {
namespace {

class CallContext {
 public:
  CallContext() { context_.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1)); }
  grpc::ClientContext* get() { return &context_; }

 private:
  grpc::ClientContext context_;
};

template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status rich;
  Detail detail;
  if (!rich.ParseFromString(status.error_details())) return detail;
  for (const auto& any : rich.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return Detail();
}

}  // namespace

ServiceClient::ServiceClient(const std::string& address)
    : ServiceClient(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {}

ServiceClient::ServiceClient(std::shared_ptr<grpc::Channel> channel)
    : channel_(std::move(channel)),
      jobs_(v1::JobService::NewStub(channel_)),
      models_(v1::ModelService::NewStub(channel_)),
      artifacts_(v1::ArtifactService::NewStub(channel_)),
      reports_(v1::ReportService::NewStub(channel_)) {}

grpc::Status ServiceClient::Submit(const v1::SubmitJobRequest& request, v1::Job* job) {
  CallContext context;
  return jobs_->SubmitJob(context.get(), request, job);
}

v1::Job ServiceClient::Get(const std::string& id) {
  CallContext context;
  v1::GetJobRequest request;
  request.set_id(id);
  v1::Job job;
  const grpc::Status status = jobs_->GetJob(context.get(), request, &job);
  return status.ok() ? job : v1::Job();
}

grpc::Status ServiceClient::Cancel(const std::string& id, v1::Job* job) {
  CallContext context;
  v1::CancelJobRequest request;
  request.set_id(id);
  return jobs_->CancelJob(context.get(), request, job);
}

grpc::Status ServiceClient::Watch(const std::string& id, int64_t after,
                                  const std::function<bool(const v1::Event&)>& stop, std::vector<v1::Event>* events) {
  CallContext context;
  v1::WatchJobRequest request;
  request.set_id(id);
  request.set_after_sequence(after);
  const auto reader = jobs_->WatchJob(context.get(), request);
  v1::Event event;
  while (reader->Read(&event)) {
    events->push_back(event);
    if (!stop(event)) continue;
    context.get()->TryCancel();
    break;
  }
  return reader->Finish();
}

grpc::Status ServiceClient::Report(const std::string& id, v1::Report* report) {
  CallContext context;
  v1::GetReportRequest request;
  request.set_job_id(id);
  return reports_->GetReport(context.get(), request, report);
}

grpc::Status ServiceClient::Download(const std::string& id, const std::string& path, int64_t offset, std::string* bytes,
                                     int64_t* total) {
  CallContext context;
  v1::DownloadArtifactRequest request;
  request.set_job_id(id);
  request.set_path(path);
  request.set_offset(offset);
  const auto reader = artifacts_->DownloadArtifact(context.get(), request);
  v1::DownloadArtifactResponse message;
  while (reader->Read(&message)) {
    if (total != nullptr && message.total_bytes() != 0) *total = message.total_bytes();
    *bytes += message.chunk();
  }
  return reader->Finish();
}

google::rpc::BadRequest BadRequestOf(const grpc::Status& status) { return DetailOf<google::rpc::BadRequest>(status); }
google::rpc::ErrorInfo ErrorInfoOf(const grpc::Status& status) { return DetailOf<google::rpc::ErrorInfo>(status); }

}  // namespace tersor::testing
