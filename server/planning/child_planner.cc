#include "server/planning/child_planner.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/error_details.h"
#include "server/base/log.h"

namespace tersor {
namespace {

// A process that has grown beyond this is not kept.
constexpr int64_t kKeptBytes = int64_t{256} << 20;

absl::Status InvalidModel(absl::string_view what) {
  return BadRequestError({{"model", absl::StrCat(what, ": is the file damaged, or does somebody change it?")}},
                         "INVALID_MODEL");
}

v1::PlannerRequest PlanRequest(const v1::Recipe& recipe, const PipelineContext& context) {
  v1::PlannerRequest request;
  v1::PlanTask& task = *request.mutable_plan();
  *task.mutable_recipe() = recipe;
  for (const auto& path : context.data_paths) task.add_data_paths(path.string());
  for (const auto& path : context.task_paths) task.add_task_paths(path.string());
  for (const auto& path : context.allowed_roots) task.add_allowed_roots(path.string());
  task.set_cache_dir(context.cache_dir.string());
  task.set_output_dir(context.output_dir.string());
  task.set_threads(context.threads);
  task.set_memory_bytes(context.memory_bytes);
  return request;
}

absl::Status StatusOf(const v1::PlannerResponse& response) {
  const absl::Status status(static_cast<absl::StatusCode>(response.code()), response.message());
  // A file that changed under the reader's hands, or that took all the memory which reading one may take.
  if (absl::IsDataLoss(status)) return BadRequestError({{"model", response.message()}}, "INVALID_MODEL");
  if (absl::IsResourceExhausted(status)) return InvalidModel(response.message());
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PlannerProcess>> ChildPlanner::Take() {
  {
    const MutexLock lock(mutex_);
    if (idle_ != nullptr) return std::move(idle_);
  }
  return PlannerProcess::Start(options_.worker_program, options_.memory_bytes);
}

void ChildPlanner::GiveBack(std::unique_ptr<PlannerProcess> process) {
  if (process->MemoryBytes() > kKeptBytes) return;
  const MutexLock lock(mutex_);
  if (idle_ == nullptr) idle_ = std::move(process);
}

absl::StatusOr<v1::PlannerResponse> ChildPlanner::Ask(const v1::PlannerRequest& request, CallerGone gone) {
  const absl::Duration end = clock_.Monotonic() + options_.time_limit;
  const auto go_on = [&]() -> absl::Status {
    if (gone()) return absl::CancelledError("the caller went away");
    if (clock_.Monotonic() < end) return absl::OkStatus();
    return InvalidModel(absl::StrCat("reading it took more than ", absl::FormatDuration(options_.time_limit)));
  };
  while (true) {
    TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<PlannerProcess> process, Take());
    const bool is_new = !process->was_asked();
    absl::StatusOr<v1::PlannerResponse> response = process->Ask(request, go_on);
    if (response.ok()) {
      // What it found may stay with the process that found it.
      if (response->code() == 0) GiveBack(std::move(process));
      TERSOR_RETURN_IF_ERROR(StatusOf(*response));
      return response;
    }
    if (!absl::IsUnavailable(response.status())) return response.status();
    const std::string ending = process->Ending();
    Log(LogLevel::kWarning, "a process that reads models died", {{"detail", ending}, {"new", int64_t{is_new}}});
    // One that had answered before may have died of something else, between the calls.
    if (is_new) return InvalidModel(absl::StrCat("the process that read it died (", ending, ")"));
  }
}

absl::StatusOr<PlanResult> ChildPlanner::Plan(const v1::Recipe& recipe, const PipelineContext& context,
                                              CallerGone gone) {
  TERSOR_ASSIGN_OR_RETURN(v1::PlannerResponse response, Ask(PlanRequest(recipe, context), gone));
  PlanResult result;
  result.plan = std::move(*response.mutable_plan());
  for (const v1::RecipeFault& fault : response.faults()) {
    result.violations.push_back({fault.field(), fault.description()});
  }
  return result;
}

absl::StatusOr<v1::LintReport> ChildPlanner::Lint(const std::filesystem::path& path,
                                                  const std::filesystem::path& reference, CallerGone gone) {
  v1::PlannerRequest request;
  request.mutable_lint()->set_path(path.string());
  request.mutable_lint()->set_reference(reference.string());
  for (const auto& root : options_.model_roots) request.mutable_lint()->add_model_roots(root.string());
  TERSOR_ASSIGN_OR_RETURN(v1::PlannerResponse response, Ask(request, gone));
  return std::move(*response.mutable_lint());
}

}  // namespace tersor
