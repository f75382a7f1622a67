#include "client/cpp/job_client.h"

#include <algorithm>
#include <utility>

#include "client/cpp/call_canceller.h"
#include "client/cpp/unary_call.h"

namespace tersor::client {

bool IsTerminal(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED;
}

JobClient::JobClient(Connection connection)
    : connection_(std::move(connection)), stub_(v1::JobService::NewStub(connection_.channel())) {}

absl::StatusOr<v1::Job> JobClient::Submit(const v1::SubmitJobRequest& request) const {
  return UnaryCall<v1::Job>(connection_, connection_.timeouts().planning,
                            [&](auto* context, auto* job) { return stub_->SubmitJob(context, request, job); });
}

absl::StatusOr<v1::Job> JobClient::Get(absl::string_view id) const {
  v1::GetJobRequest request;
  request.set_id(std::string(id));
  return UnaryCall<v1::Job>(connection_, connection_.timeouts().lookup,
                            [&](auto* context, auto* job) { return stub_->GetJob(context, request, job); });
}

absl::StatusOr<std::vector<v1::Job>> JobClient::List(absl::string_view filter, int limit) const {
  constexpr int kLargestPage = 1000;
  std::vector<v1::Job> jobs;
  v1::ListJobsRequest request;
  request.set_filter(std::string(filter));
  while (static_cast<int>(jobs.size()) < limit) {
    request.set_page_size(std::min(kLargestPage, limit - static_cast<int>(jobs.size())));
    TERSOR_ASSIGN_OR_RETURN(
        v1::ListJobsResponse page,
        UnaryCall<v1::ListJobsResponse>(connection_, connection_.timeouts().lookup, [&](auto* context, auto* response) {
          return stub_->ListJobs(context, request, response);
        }));
    for (v1::Job& job : *page.mutable_jobs()) jobs.push_back(std::move(job));
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  return jobs;
}

absl::StatusOr<v1::Job> JobClient::Cancel(absl::string_view id) const {
  v1::CancelJobRequest request;
  request.set_id(std::string(id));
  return UnaryCall<v1::Job>(connection_, connection_.timeouts().lookup,
                            [&](auto* context, auto* job) { return stub_->CancelJob(context, request, job); });
}

absl::Status JobClient::Delete(absl::string_view id) const {
  v1::DeleteJobRequest request;
  request.set_id(std::string(id));
  return UnaryCall<google::protobuf::Empty>(
             connection_, connection_.timeouts().lookup,
             [&](auto* context, auto* response) { return stub_->DeleteJob(context, request, response); })
      .status();
}

absl::StatusOr<v1::Plan> JobClient::Estimate(const v1::EstimateJobRequest& request) const {
  return UnaryCall<v1::Plan>(connection_, connection_.timeouts().planning,
                             [&](auto* context, auto* plan) { return stub_->EstimateJob(context, request, plan); });
}

absl::StatusOr<v1::ListMethodsResponse> JobClient::ListMethods() const {
  return UnaryCall<v1::ListMethodsResponse>(
      connection_, connection_.timeouts().lookup,
      [&](auto* context, auto* response) { return stub_->ListMethods(context, {}, response); });
}

absl::Status JobClient::Logs(absl::string_view id, const std::function<void(const v1::LogChunk&)>& on_chunk,
                             const CancellationToken* cancellation) const {
  v1::GetJobLogsRequest request;
  request.set_id(std::string(id));
  grpc::ClientContext context;
  CallCanceller canceller(context, cancellation);
  std::unique_ptr<grpc::ClientReader<v1::LogChunk>> reader = stub_->GetJobLogs(&context, request);
  v1::LogChunk chunk;
  while (reader->Read(&chunk)) on_chunk(chunk);
  absl::Status status = FromGrpc(reader->Finish());
  return absl::IsUnavailable(status) ? Annotate(status, "server " + connection_.address()) : status;
}

absl::StatusOr<v1::CollectGarbageResponse> JobClient::CollectGarbage(const v1::CollectGarbageRequest& request) const {
  return UnaryCall<v1::CollectGarbageResponse>(
      connection_, connection_.timeouts().planning,
      [&](auto* context, auto* response) { return stub_->CollectGarbage(context, request, response); });
}

}  // namespace tersor::client
