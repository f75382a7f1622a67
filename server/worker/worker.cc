#include "server/worker/worker.h"

#include <unistd.h>

#include <exception>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/input_file.h"
#include "server/base/error_details.h"
#include "server/base/log.h"
#include "server/base/message_limits.h"
#include "server/worker/event_log.h"
#include "server/worker/event_publisher.h"
#include "server/worker/failure.h"
#include "server/worker/heartbeat.h"

namespace tersor {
namespace {

absl::StatusOr<v1::AttemptSpec> Attach(const WorkerOptions& options, ServerLink& link) {
  v1::AttachAttemptRequest request;
  request.set_job_id(options.job_id);
  request.set_attempt(options.attempt);
  request.set_process_id(getpid());
  v1::AttemptSpec spec;
  TERSOR_RETURN_IF_ERROR(link.Call(
      [&](auto& stub, grpc::ClientContext& context) { return stub.AttachAttempt(&context, request, &spec); }));
  return spec;
}

absl::Status Publish(const v1::AttemptSpec& spec, ServerLink& link, int64_t first_number,
                     const std::vector<v1::Event>& events) {
  v1::PublishEventsRequest request;
  request.set_job_id(spec.job_id());
  request.set_attempt(spec.attempt());
  request.set_first_number(first_number);
  for (const v1::Event& event : events) *request.add_events() = event;
  google::protobuf::Empty response;
  return link.Call(
      [&](auto& stub, grpc::ClientContext& context) { return stub.PublishEvents(&context, request, &response); });
}

absl::Status Complete(const v1::AttemptSpec& spec, ServerLink& link, absl::StatusOr<v1::Report> result) {
  v1::CompleteAttemptRequest request;
  request.set_job_id(spec.job_id());
  request.set_attempt(spec.attempt());
  if (result.ok()) {
    *request.mutable_report() = *std::move(result);
  } else {
    *request.mutable_failure() = ToFailure(result.status());
  }
  const size_t bytes = request.ByteSizeLong();
  if (bytes > kMaxWorkerMessageBytes) {
    // The server would refuse it as it refuses work while its disk is full: for now.
    *request.mutable_failure() =
        ToFailure(WithReason(absl::OutOfRangeError(absl::StrCat("the report has ", bytes, " bytes, the server takes ",
                                                                kMaxWorkerMessageBytes,
                                                                ": measure fewer windows, tasks or layers in a job")),
                             "REPORT_TOO_LARGE"));
  }
  google::protobuf::Empty response;
  return link.Call(
      [&](auto& stub, grpc::ClientContext& context) { return stub.CompleteAttempt(&context, request, &response); });
}

RunOptions MakeRunOptions(const v1::AttemptSpec& spec, const CancellationToken& cancellation) {
  RunOptions options;
  options.job_id = spec.job_id();
  options.workspace = spec.workspace();
  options.context.data_paths.assign(spec.data_paths().begin(), spec.data_paths().end());
  options.context.cache_dir = spec.cache_dir();
  options.context.threads = spec.threads();
  options.context.memory_bytes = spec.memory_bytes();
  options.downloaded = true;
  options.cancellation = &cancellation;
  options.labels.insert(spec.labels().begin(), spec.labels().end());
  options.baselines.insert(spec.baselines().begin(), spec.baselines().end());
  return options;
}

// A link in a model's folder must not bring a file of the machine into an artifact.
std::vector<std::filesystem::path> ReadableRoots(const v1::AttemptSpec& spec) {
  std::vector<std::filesystem::path> roots(spec.model_roots().begin(), spec.model_roots().end());
  roots.insert(roots.end(), spec.data_paths().begin(), spec.data_paths().end());
  roots.emplace_back(spec.workspace());
  roots.emplace_back(spec.cache_dir());
  return roots;
}

// Libraries below may throw in spite of us; the most likely one has a name that the server knows.
absl::StatusOr<v1::Report> RunGuarded(const v1::AttemptSpec& spec, const CancellationToken& cancellation,
                                      EventSink& events) {
  try {
    return RunRecipe(spec.recipe(), MakeRunOptions(spec, cancellation), events);
  } catch (const std::bad_alloc&) {
    return WithReason(absl::ResourceExhaustedError("the worker could not get more memory"), "OUT_OF_MEMORY");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("unexpected exception: ", error.what()));
  }
}

void LogEnd(const v1::AttemptSpec& spec, const absl::StatusOr<v1::Report>& result) {
  const int64_t attempt = spec.attempt();
  if (result.ok()) {
    Log(LogLevel::kInfo, "recipe ended",
        {{"job", spec.job_id()}, {"attempt", attempt}, {"verdict", v1::Verdict_Name(result->verdict())}});
  } else {
    Log(LogLevel::kWarning, "recipe ended",
        {{"job", spec.job_id()}, {"attempt", attempt}, {"error", result.status().ToString()}});
  }
}

}  // namespace

absl::Status RunAttempt(const WorkerOptions& options, ServerLink& link, CancellationToken& cancellation) {
  TERSOR_ASSIGN_OR_RETURN(const v1::AttemptSpec spec, Attach(options, link));
  Log(LogLevel::kInfo, "attempt attached",
      {{"job", spec.job_id()}, {"attempt", int64_t{spec.attempt()}}, {"threads", int64_t{spec.threads()}}});
  ConfineInputs(ReadableRoots(spec));
  Heartbeat heartbeat(link, spec.job_id(), spec.attempt(), spec.workspace(), cancellation);
  EventPublisher publisher([&](int64_t first_number, const std::vector<v1::Event>& events) {
    return Publish(spec, link, first_number, events);
  });
  EventLog events(publisher, spec.job_id(), spec.attempt());
  absl::StatusOr<v1::Report> result = RunGuarded(spec, cancellation, events);
  LogEnd(spec, result);
  if (heartbeat.abandoned()) return absl::AbortedError("the attempt was over before its end");
  TERSOR_RETURN_IF_ERROR(publisher.Finish());
  return Complete(spec, link, std::move(result));
}

}  // namespace tersor
