#include "server/engine/submission.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/base/error_details.h"
#include "server/base/log.h"
#include "server/base/random_token.h"
#include "server/base/timestamp.h"
#include "server/engine/submit_check.h"

namespace tersor {
namespace {

std::string StageMethod(const v1::Stage& stage) {
  const google::protobuf::OneofDescriptor* methods = v1::QuantizeStage::descriptor()->FindOneofByName("method");
  const google::protobuf::FieldDescriptor* chosen =
      stage.quantize().GetReflection()->GetOneofFieldDescriptor(stage.quantize(), methods);
  return chosen == nullptr ? "other" : chosen->name();
}

// The violations that the status of a model's resolution carries, or the one that it is.
void AppendModelFault(const absl::Status& status, std::vector<FieldViolation>& violations) {
  std::string text(status.message());
  const std::string prefix = "model: ";
  if (text.rfind(prefix, 0) == 0) text = text.substr(prefix.size());
  violations.push_back({"model", std::move(text)});
}

void Append(std::vector<FieldViolation> more, std::vector<FieldViolation>& violations) {
  violations.insert(violations.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::string MethodOf(const v1::Recipe& recipe) {
  if (recipe.stages().empty()) return "evaluate";
  const std::string first = StageMethod(recipe.stages(0));
  for (const v1::Stage& stage : recipe.stages()) {
    if (StageMethod(stage) != first) return "mixed";
  }
  return first;
}

absl::StatusOr<Submission::Planned> Submission::Plan(const v1::Recipe& recipe, const v1::Resources& resources) {
  std::vector<FieldViolation> violations = CheckResources(resources, limits_);
  Append(CheckDatasetPaths(recipe, limits_), violations);
  // A path that may not be read is not planned with, so that the answer does not tell what is there.
  if (!violations.empty()) return BadRequestError(violations, "INVALID_RECIPE");
  Planned planned;
  v1::Recipe resolved = recipe;
  const absl::StatusOr<std::filesystem::path> model = catalog_.Resolve(recipe.model());
  if (model.ok()) {
    planned.model_path = model->string();
    resolved.set_model(planned.model_path);
  } else if (absl::IsInvalidArgument(model.status())) {
    AppendModelFault(model.status(), violations);
    return BadRequestError(violations, "INVALID_RECIPE");
  } else {
    return model.status();
  }
  PipelineContext context = catalog_.PlanContext();
  if (resources.threads() > 0) context.threads = resources.threads();
  if (resources.memory_bytes() > 0) context.memory_bytes = resources.memory_bytes();
  TERSOR_ASSIGN_OR_RETURN(PlanResult result, planner_.Plan(resolved, context));
  Append(std::move(result.violations), violations);
  if (!violations.empty()) return BadRequestError(violations, "INVALID_RECIPE");
  planned.plan = std::move(result.plan);
  return planned;
}

absl::StatusOr<v1::Plan> Submission::Estimate(const v1::EstimateJobRequest& request) {
  TERSOR_ASSIGN_OR_RETURN(Planned planned, Plan(request.recipe(), request.resources()));
  return std::move(planned.plan);
}

absl::StatusOr<v1::Job> Submission::FindRepeated(const v1::SubmitJobRequest& request) {
  TERSOR_ASSIGN_OR_RETURN(JobRecord record, store_.FindByRequestId(request.request_id()));
  if (google::protobuf::util::MessageDifferencer::Equals(record.job.recipe(), request.recipe())) {
    return std::move(record.job);
  }
  return WithReason(absl::AlreadyExistsError(absl::StrCat("request_id \"", request.request_id(), "\" belongs to job ",
                                                          record.job.id(), ", which has another recipe")),
                    "REQUEST_ID_REUSED", {{"job", record.job.id()}});
}

absl::StatusOr<v1::Job> Submission::Submit(const v1::SubmitJobRequest& request) {
  const std::vector<FieldViolation> violations = CheckSubmitRequest(request);
  if (!violations.empty()) return BadRequestError(violations, "INVALID_REQUEST");
  if (!request.request_id().empty()) {
    absl::StatusOr<v1::Job> repeated = FindRepeated(request);
    if (!absl::IsNotFound(repeated.status())) return repeated;
  }
  if (!request.parent().empty() && !store_.Get(request.parent()).ok()) {
    return FieldError("parent", absl::StrCat("no job \"", request.parent(), "\""));
  }
  TERSOR_ASSIGN_OR_RETURN(Planned planned, Plan(request.recipe(), request.resources()));
  absl::StatusOr<v1::Job> job = Store(request, std::move(planned));
  // Two equal requests at once: the one that comes second finds the first one's job.
  if (absl::IsAlreadyExists(job.status()) && !request.request_id().empty()) return FindRepeated(request);
  return job;
}

absl::StatusOr<v1::Job> Submission::Store(const v1::SubmitJobRequest& request, Planned planned) {
  JobRecord record;
  record.request_id = request.request_id();
  record.model_path = planned.model_path;
  record.method = MethodOf(request.recipe());
  record.no_cache = request.no_cache();
  v1::Job& job = record.job;
  job.set_id(absl::StrCat("job-", RandomHex(8)));
  job.set_state(v1::JOB_STATE_QUEUED);
  *job.mutable_recipe() = request.recipe();
  *job.mutable_labels() = request.labels();
  job.set_parent(request.parent());
  job.set_priority(request.priority());
  *job.mutable_create_time() = ToTimestamp(clock_.Now());
  job.set_max_attempts(limits_.max_attempts);
  *job.mutable_plan() = std::move(planned.plan);
  *job.mutable_resources() = request.resources();
  std::optional<v1::Report> answer;
  if (!request.no_cache()) {
    TERSOR_ASSIGN_OR_RETURN(answer, answers_.TakeAnswer(job.plan().fingerprint(), job.id()));
  }
  if (answer.has_value()) {
    job.set_state(v1::JOB_STATE_SUCCEEDED);
    job.set_cached_from(answer->cached_from());
    job.set_verdict(answer->verdict());
    job.set_status_message(absl::StrCat("answered from job ", answer->cached_from()));
  }
  TERSOR_RETURN_IF_ERROR(store_.Insert(record, answer.has_value() ? &*answer : nullptr, clock_.Now()));
  Log(LogLevel::kInfo, answer.has_value() ? "job answered from an earlier one" : "job submitted",
      {{"job", job.id()}, {"method", record.method}, {"cached_from", job.cached_from()}});
  TERSOR_ASSIGN_OR_RETURN(JobRecord stored, store_.Get(job.id()));
  return std::move(stored.job);
}

}  // namespace tersor
