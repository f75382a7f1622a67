#include "server/engine/submission.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/append_violations.h"
#include "core/base/sha256.h"
#include "core/recipe/recipe_bounds.h"
#include "core/recipe/stage_method.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/base/error_details.h"
#include "server/base/log.h"
#include "server/base/random_token.h"
#include "server/base/timestamp.h"
#include "server/engine/baseline_resolver.h"
#include "server/engine/evaluated_models.h"
#include "server/engine/submit_check.h"

namespace tersor {
namespace {

std::string StageMethod(const v1::Stage& stage) {
  const absl::string_view name = StageMethodName(stage);
  return name.empty() ? "other" : std::string(name);
}

// The violations that the status of a model's resolution carries, or the one that it is.
void AppendModelFault(const absl::Status& status, std::vector<FieldViolation>& violations) {
  std::string text(status.message());
  const std::string prefix = "model: ";
  if (text.rfind(prefix, 0) == 0) text = text.substr(prefix.size());
  violations.push_back({"model", std::move(text)});
}

// The paths that the job's worker will read.
std::vector<std::string> ModelsOf(const JobRecord& record) {
  const v1::Evaluation& evaluate = record.job.recipe().evaluate();
  return {record.model_path, evaluate.original(), evaluate.baseline_model()};
}

// Before anything is made of the recipe.
absl::Status CheckBounds(const v1::Recipe& recipe) {
  const std::vector<FieldViolation> violations = CheckRecipeBounds(recipe);
  return violations.empty() ? absl::OkStatus() : BadRequestError(violations, "INVALID_RECIPE");
}

}  // namespace

std::string MethodOf(const v1::Recipe& recipe) {
  if (recipe.has_sweep()) return kSweepMethod;
  if (recipe.stages().empty()) return recipe.has_kv() ? "kv" : "evaluate";
  const std::string first = StageMethod(recipe.stages(0));
  for (const v1::Stage& stage : recipe.stages()) {
    if (StageMethod(stage) != first) return "mixed";
  }
  return first;
}

absl::Status Submission::PinBaselines(const v1::Recipe& recipe, v1::Plan& plan,
                                      std::vector<FieldViolation>& violations) {
  std::string pinned;
  for (v1::GateBaseline& baseline : *plan.mutable_baselines()) {
    const absl::StatusOr<std::string> id = ResolveBaseline(store_, baseline.reference());
    if (absl::IsInvalidArgument(id.status())) {
      const bool everywhere = baseline.reference() == recipe.gating().baseline();
      violations.push_back({everywhere ? "gating.baseline" : "gates", std::string(id.status().message())});
      continue;
    }
    if (!id.ok()) return id.status();
    baseline.set_job_id(*id);
    absl::StrAppend(&pinned, baseline.reference(), "\n", *id, "\n");
  }
  if (!pinned.empty()) plan.set_fingerprint(Sha256Hex(absl::StrCat(plan.fingerprint(), "\n", pinned)));
  return absl::OkStatus();
}

absl::StatusOr<Submission::Planned> Submission::PlanRecipe(const v1::Recipe& recipe, const v1::Resources& resources,
                                                           std::vector<FieldViolation>& violations, CallerGone gone) {
  AppendNewFields(CheckResources(resources, limits_), violations);
  v1::Recipe resolved = recipe;
  AppendNewFields(TakeForbiddenDatasets(limits_, resolved), violations);
  Planned planned;
  const absl::StatusOr<std::filesystem::path> model = catalog_.Resolve(recipe.model());
  if (model.ok()) {
    planned.model_path = model->string();
  } else if (absl::IsInvalidArgument(model.status())) {
    AppendModelFault(model.status(), violations);
  } else {
    return model.status();
  }
  // Without a model (and without what may not be read) the rest is checked all the same: all faults in one answer.
  resolved.set_model(planned.model_path);
  TERSOR_RETURN_IF_ERROR(ResolveEvaluatedModels(catalog_, resolved, violations));
  planned.original_path = resolved.evaluate().original();
  planned.baseline_model_path = resolved.evaluate().baseline_model();
  PipelineContext context = catalog_.PlanContext();
  if (resources.threads() > 0) context.threads = resources.threads();
  if (resources.memory_bytes() > 0) context.memory_bytes = resources.memory_bytes();
  TERSOR_ASSIGN_OR_RETURN(PlanResult result, planner_.Plan(resolved, context, gone));
  AppendNewFields(std::move(result.violations), violations);
  TERSOR_RETURN_IF_ERROR(PinBaselines(recipe, result.plan, violations));
  planned.plan = std::move(result.plan);
  return planned;
}

absl::StatusOr<Submission::Planned> Submission::Plan(const v1::Recipe& recipe, const v1::Resources& resources,
                                                     CallerGone gone) {
  std::vector<FieldViolation> violations;
  TERSOR_ASSIGN_OR_RETURN(Planned planned, PlanRecipe(recipe, resources, violations, gone));
  if (!violations.empty()) return BadRequestError(violations, "INVALID_RECIPE");
  return planned;
}

absl::StatusOr<v1::Plan> Submission::Estimate(const v1::EstimateJobRequest& request, CallerGone gone) {
  TERSOR_RETURN_IF_ERROR(CheckBounds(request.recipe()));
  if (request.recipe().has_sweep()) return EstimateSweep(request, gone);
  TERSOR_ASSIGN_OR_RETURN(Planned planned, Plan(request.recipe(), request.resources(), gone));
  return std::move(planned.plan);
}

absl::StatusOr<v1::Job> Submission::FindRepeated(const v1::SubmitJobRequest& request) {
  TERSOR_ASSIGN_OR_RETURN(JobRecord record, store_.FindByRequestId(request.request_id()));
  v1::Recipe recipe = request.recipe();
  // A stored recipe has the evaluated models' paths.
  std::vector<FieldViolation> ignored;
  TERSOR_RETURN_IF_ERROR(ResolveEvaluatedModels(catalog_, recipe, ignored));
  if (google::protobuf::util::MessageDifferencer::Equals(record.job.recipe(), recipe)) {
    return std::move(record.job);
  }
  return WithReason(absl::AlreadyExistsError(absl::StrCat("request_id \"", request.request_id(), "\" belongs to job ",
                                                          record.job.id(), ", which has another recipe")),
                    "REQUEST_ID_REUSED", {{"job", record.job.id()}});
}

absl::Status Submission::Refuse(const v1::SubmitJobRequest& request, std::vector<FieldViolation> violations,
                                CallerGone gone) {
  // The recipe's faults go into the same answer; what keeps it from being planned tells nothing to this client.
  if (!request.recipe().has_sweep())
    PlanRecipe(request.recipe(), request.resources(), violations, gone).status().IgnoreError();
  return BadRequestError(violations, "INVALID_REQUEST");
}

absl::StatusOr<v1::Job> Submission::Submit(const v1::SubmitJobRequest& request, CallerGone gone) {
  TERSOR_RETURN_IF_ERROR(CheckBounds(request.recipe()));
  std::vector<FieldViolation> violations = CheckSubmitRequest(request);
  if (violations.empty() && !request.request_id().empty()) {
    absl::StatusOr<v1::Job> repeated = FindRepeated(request);
    if (!absl::IsNotFound(repeated.status())) return repeated;
  }
  if (!request.parent().empty() && !store_.Get(request.parent()).ok()) {
    violations.push_back({"parent", absl::StrCat("no job \"", request.parent(), "\"")});
  }
  if (!violations.empty()) return Refuse(request, std::move(violations), gone);
  TERSOR_RETURN_IF_ERROR(CheckQueue(1));
  absl::StatusOr<v1::Job> job;
  if (request.recipe().has_sweep()) {
    job = SubmitSweep(request, gone);
  } else {
    TERSOR_ASSIGN_OR_RETURN(Planned planned, Plan(request.recipe(), request.resources(), gone));
    job = Store(request, std::move(planned));
  }
  // Two equal requests at once: the one that comes second finds the first one's job.
  if (absl::IsAlreadyExists(job.status()) && !request.request_id().empty()) return FindRepeated(request);
  return job;
}

absl::Status Submission::CheckQueue(int64_t jobs) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t queued, store_.CountQueued());
  if (queued + jobs <= limits_.max_queued) return absl::OkStatus();
  return WithReason(absl::ResourceExhaustedError(absl::StrCat("the queue is full: ", queued, " jobs wait, and at most ",
                                                              limits_.max_queued,
                                                              " may: try again when some have ended, or cancel some")),
                    "QUEUE_FULL", {{"queued", absl::StrCat(queued)}});
}

JobRecord Submission::MakeRecord(const v1::SubmitJobRequest& request) const {
  JobRecord record;
  record.request_id = request.request_id();
  record.method = MethodOf(request.recipe());
  record.no_cache = request.no_cache();
  v1::Job& job = record.job;
  job.set_id(absl::StrCat(IsSweep(record) ? "sweep-" : "job-", RandomHex(8)));
  job.set_state(v1::JOB_STATE_QUEUED);
  *job.mutable_recipe() = request.recipe();
  *job.mutable_labels() = request.labels();
  job.set_parent(request.parent());
  job.set_priority(request.priority());
  *job.mutable_create_time() = ToTimestamp(clock_.Now());
  job.set_max_attempts(limits_.max_attempts);
  *job.mutable_resources() = request.resources();
  return record;
}

absl::StatusOr<NewJob> Submission::MakeJob(const v1::SubmitJobRequest& request, Planned planned) {
  NewJob made{MakeRecord(request)};
  made.record.model_path = planned.model_path;
  v1::Job& job = made.record.job;
  if (!planned.original_path.empty()) job.mutable_recipe()->mutable_evaluate()->set_original(planned.original_path);
  if (!planned.baseline_model_path.empty()) {
    job.mutable_recipe()->mutable_evaluate()->set_baseline_model(planned.baseline_model_path);
  }
  *job.mutable_plan() = std::move(planned.plan);
  if (request.no_cache()) return made;
  TERSOR_ASSIGN_OR_RETURN(made.answer, answers_.TakeAnswer(job));
  if (!made.answer.has_value()) return made;
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  job.set_cached_from(made.answer->cached_from());
  job.set_verdict(made.answer->verdict());
  job.set_status_message(absl::StrCat("answered from job ", made.answer->cached_from()));
  return made;
}

absl::StatusOr<v1::Job> Submission::Store(const v1::SubmitJobRequest& request, Planned planned) {
  TERSOR_ASSIGN_OR_RETURN(const NewJob made, MakeJob(request, std::move(planned)));
  const v1::Job& job = made.record.job;
  TERSOR_RETURN_IF_ERROR(catalog_.WhileModelsStay(ModelsOf(made.record), [&] {
    return store_.Insert(made.record, made.answer.has_value() ? &*made.answer : nullptr, clock_.Now());
  }));
  Log(LogLevel::kInfo, made.answer.has_value() ? "job answered from an earlier one" : "job submitted",
      {{"job", job.id()}, {"method", made.record.method}, {"cached_from", job.cached_from()}});
  TERSOR_ASSIGN_OR_RETURN(JobRecord stored, store_.Get(job.id()));
  return std::move(stored.job);
}

absl::StatusOr<std::vector<Submission::Planned>> Submission::PlanPoints(const std::vector<SweepPoint>& points,
                                                                        const v1::Resources& resources,
                                                                        std::vector<FieldViolation> violations,
                                                                        CallerGone gone) {
  // A fault of the request, not of each point.
  const std::vector<FieldViolation> resource_faults = CheckResources(resources, limits_);
  if (!resource_faults.empty()) return BadRequestError(resource_faults, "INVALID_REQUEST");
  std::vector<Planned> planned;
  for (const SweepPoint& point : points) {
    if (gone()) return absl::CancelledError("the caller went away");
    std::vector<FieldViolation> faults;
    TERSOR_ASSIGN_OR_RETURN(Planned plan, PlanRecipe(point.recipe(), resources, faults, gone));
    AddPointViolations(point, faults, violations);
    planned.push_back(std::move(plan));
  }
  if (!violations.empty()) return BadRequestError(violations, "INVALID_RECIPE");
  return planned;
}

absl::StatusOr<v1::Plan> Submission::EstimateSweep(const v1::EstimateJobRequest& request, CallerGone gone) {
  std::vector<FieldViolation> violations;
  const std::vector<SweepPoint> points = ExpandSweep(request.recipe(), violations);
  TERSOR_ASSIGN_OR_RETURN(const std::vector<Planned> planned,
                          PlanPoints(points, request.resources(), std::move(violations), gone));
  std::vector<v1::Plan> plans;
  for (const Planned& point : planned) plans.push_back(point.plan);
  return MergePointPlans(points, plans);
}

absl::StatusOr<v1::Job> Submission::SubmitSweep(const v1::SubmitJobRequest& request, CallerGone gone) {
  if (!request.parent().empty()) return FieldError("parent", "a sweep cannot be a point of another sweep");
  std::vector<FieldViolation> violations;
  const std::vector<SweepPoint> points = ExpandSweep(request.recipe(), violations);
  TERSOR_ASSIGN_OR_RETURN(std::vector<Planned> planned,
                          PlanPoints(points, request.resources(), std::move(violations), gone));
  TERSOR_RETURN_IF_ERROR(CheckQueue(static_cast<int64_t>(points.size())));
  JobRecord sweep = MakeRecord(request);
  std::vector<v1::Plan> plans;
  std::vector<NewJob> jobs;
  for (size_t i = 0; i < points.size(); ++i) {
    plans.push_back(planned[i].plan);
    v1::SubmitJobRequest point = request;
    point.clear_request_id();
    *point.mutable_recipe() = points[i].recipe();
    point.set_parent(sweep.job.id());
    for (const auto& [axis, value] : points[i].settings) (*point.mutable_labels())[SweepLabel(axis)] = value;
    TERSOR_ASSIGN_OR_RETURN(NewJob job, MakeJob(point, std::move(planned[i])));
    jobs.push_back(std::move(job));
  }
  *sweep.job.mutable_plan() = MergePointPlans(points, plans);
  // A sweep is never answered from another one: its points are.
  sweep.job.mutable_plan()->clear_fingerprint();
  std::vector<std::string> models;
  for (const NewJob& job : jobs) {
    for (std::string& model : ModelsOf(job.record)) models.push_back(std::move(model));
  }
  TERSOR_RETURN_IF_ERROR(
      catalog_.WhileModelsStay(models, [&] { return store_.InsertSweep(sweep, jobs, clock_.Now()); }));
  Log(LogLevel::kInfo, "sweep submitted", {{"job", sweep.job.id()}, {"points", static_cast<int64_t>(jobs.size())}});
  TERSOR_ASSIGN_OR_RETURN(JobRecord stored, store_.Get(sweep.job.id()));
  return std::move(stored.job);
}

}  // namespace tersor
