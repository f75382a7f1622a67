#include "server/rpc/job_service.h"

#include <system_error>
#include <utility>

#include "server/base/error_details.h"
#include "server/base/log.h"
#include "server/rpc/event_stream.h"
#include "server/rpc/file_stream.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/page.h"
#include "server/store/job_state.h"

namespace tersor {
namespace {

v1::MethodInfo ToMethodInfo(const MethodDescription& description) {
  v1::MethodInfo info;
  info.set_name(description.name);
  info.set_family(description.family);
  info.set_summary(description.summary);
  info.set_reference(description.reference);
  for (const MethodOption& option : description.options) {
    auto* entry = info.add_options();
    entry->set_name(option.name);
    entry->set_type(option.type);
    entry->set_default_value(option.default_value);
    entry->set_description(option.description);
  }
  return info;
}

absl::StatusOr<v1::ListJobsResponse> List(JobStore& store, const v1::ListJobsRequest& request) {
  TERSOR_ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  TERSOR_ASSIGN_OR_RETURN(const int64_t before, ParsePageToken(request.page_token()));
  const absl::StatusOr<JobFilter> filter = ParseJobFilter(request.filter());
  if (!filter.ok()) return FieldError("filter", filter.status().message());
  // One more than asked for tells whether there is a next page.
  TERSOR_ASSIGN_OR_RETURN(std::vector<JobRecord> records, store.List(*filter, size + 1, before));
  v1::ListJobsResponse response;
  if (records.size() > static_cast<size_t>(size)) {
    records.resize(static_cast<size_t>(size));
    response.set_next_page_token(FormatPageToken(records.back().ordinal));
  }
  for (JobRecord& record : records) *response.add_jobs() = std::move(record.job);
  return response;
}

}  // namespace

grpc::Status JobServiceImpl::SubmitJob(grpc::ServerContext* context, const v1::SubmitJobRequest* request,
                                       v1::Job* response) {
  return AnswerComputed(admission_, *context, response,
                        [&](CallerGone gone) { return submission_.Submit(*request, gone); });
}

grpc::Status JobServiceImpl::GetJob(grpc::ServerContext*, const v1::GetJobRequest* request, v1::Job* response) {
  absl::StatusOr<JobRecord> record = store_.Get(request->id());
  if (!record.ok()) return ToGrpcStatus(record.status());
  *response = std::move(record->job);
  return grpc::Status::OK;
}

grpc::Status JobServiceImpl::ListJobs(grpc::ServerContext*, const v1::ListJobsRequest* request,
                                      v1::ListJobsResponse* response) {
  return Answer(List(store_, *request), response);
}

grpc::Status JobServiceImpl::CancelJob(grpc::ServerContext*, const v1::CancelJobRequest* request, v1::Job* response) {
  absl::StatusOr<JobRecord> record = supervisor_.Cancel(request->id());
  if (!record.ok()) return ToGrpcStatus(record.status());
  Log(LogLevel::kInfo, "cancel requested", {{"job", request->id()}});
  *response = std::move(record->job);
  return grpc::Status::OK;
}

grpc::Status JobServiceImpl::DeleteJob(grpc::ServerContext*, const v1::DeleteJobRequest* request,
                                       google::protobuf::Empty*) {
  const absl::StatusOr<JobRecord> record = store_.Get(request->id());
  if (!record.ok()) return ToGrpcStatus(record.status());
  if (IsSweep(*record) && IsTerminal(record->job.state())) {
    const absl::StatusOr<std::vector<JobRecord>> points = store_.Children(request->id());
    if (!points.ok()) return ToGrpcStatus(points.status());
    for (const JobRecord& point : *points) {
      if (const absl::Status status = Delete(point.job.id()); !status.ok()) return ToGrpcStatus(status);
    }
  }
  return ToGrpcStatus(Delete(request->id()));
}

absl::Status JobServiceImpl::Delete(const std::string& id) {
  TERSOR_RETURN_IF_ERROR(store_.Delete(id));
  Log(LogLevel::kInfo, "job deleted", {{"job", id}});
  // The store knew the id, so it is one of ours and safe as a path.
  std::error_code error;
  std::filesystem::remove_all(folder_.job(id), error);
  if (!error) return absl::OkStatus();
  return absl::InternalError("the job is deleted, but its folder could not be removed: " + error.message());
}

grpc::Status JobServiceImpl::WatchJob(grpc::ServerContext* context, const v1::WatchJobRequest* request,
                                      grpc::ServerWriter<v1::Event>* writer) {
  const StreamLimit::Place place(admission_.streams);
  if (!place.status().ok()) return ToGrpcStatus(place.status());
  if (request->after_sequence() < 0) return ToGrpcStatus(FieldError("after_sequence", "must not be negative"));
  return ToGrpcStatus(StreamEvents(
      store_, request->id(), request->after_sequence(), [&] { return context->IsCancelled(); },
      [&](const v1::Event& event) {
        const IdleWatch::Wait wait(admission_.idle, *context);
        return writer->Write(event);
      }));
}

grpc::Status JobServiceImpl::EstimateJob(grpc::ServerContext* context, const v1::EstimateJobRequest* request,
                                         v1::Plan* response) {
  return AnswerComputed(admission_, *context, response,
                        [&](CallerGone gone) { return submission_.Estimate(*request, gone); });
}

grpc::Status JobServiceImpl::ListMethods(grpc::ServerContext*, const v1::ListMethodsRequest*,
                                         v1::ListMethodsResponse* response) {
  for (const MethodDescription& description : planner_.Methods()) {
    *response->add_methods() = ToMethodInfo(description);
  }
  return grpc::Status::OK;
}

grpc::Status JobServiceImpl::GetJobLogs(grpc::ServerContext* context, const v1::GetJobLogsRequest* request,
                                        grpc::ServerWriter<v1::LogChunk>* writer) {
  const StreamLimit::Place place(admission_.streams);
  if (!place.status().ok()) return ToGrpcStatus(place.status());
  const absl::StatusOr<JobRecord> record = store_.Get(request->id());
  if (!record.ok()) return ToGrpcStatus(record.status());
  for (int attempt = 1; attempt <= record->job.attempt(); ++attempt) {
    const absl::Status status = StreamFile(folder_.job(request->id()), folder_.attempt_log(request->id(), attempt), 0,
                                           [&](std::string chunk, int64_t) {
                                             v1::LogChunk message;
                                             message.set_attempt(attempt);
                                             message.set_text(std::move(chunk));
                                             const IdleWatch::Wait wait(admission_.idle, *context);
                                             return writer->Write(message);
                                           });
    // An attempt whose worker could not be started has no log.
    if (!status.ok() && !absl::IsNotFound(status)) return ToGrpcStatus(status);
  }
  return grpc::Status::OK;
}

grpc::Status JobServiceImpl::CollectGarbage(grpc::ServerContext* context, const v1::CollectGarbageRequest* request,
                                            v1::CollectGarbageResponse* response) {
  return AnswerComputed(admission_, *context, response, [&](CallerGone) { return garbage_.Collect(*request); });
}

}  // namespace tersor
