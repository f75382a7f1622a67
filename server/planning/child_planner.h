// Reads models in processes of their own: what a stranger's file does there, it does to them.
#ifndef TERSOR_SERVER_PLANNING_CHILD_PLANNER_H_
#define TERSOR_SERVER_PLANNING_CHILD_PLANNER_H_

#include <filesystem>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/engine/planner.h"
#include "server/planning/planner_process.h"

namespace tersor {

struct ChildPlannerOptions {
  std::filesystem::path worker_program;
  // Links of what is linted may lead below these.
  std::vector<std::filesystem::path> model_roots;
  // Memory of one process, mapped files not counted.
  int64_t memory_bytes = int64_t{4} << 30;
  // Hashing the largest models from a slow disk takes minutes.
  absl::Duration time_limit = absl::Minutes(15);
};

// A process a call; one that has answered is kept for the next. The death of one, or too much memory or time, is
// INVALID_ARGUMENT (INVALID_MODEL). A caller that is gone has its process killed. Thread-safe.
class ChildPlanner final : public Planner {
 public:
  // `clock` outlives it.
  ChildPlanner(ChildPlannerOptions options, std::vector<MethodDescription> methods, const Clock& clock)
      : options_(std::move(options)), methods_(std::move(methods)), clock_(clock) {}

  absl::StatusOr<PlanResult> Plan(const v1::Recipe& recipe, const PipelineContext& context, CallerGone gone) override;
  std::vector<MethodDescription> Methods() override { return methods_; }
  absl::StatusOr<v1::LintReport> Lint(const std::filesystem::path& path, const std::filesystem::path& reference,
                                      CallerGone gone) override;

 private:
  absl::StatusOr<v1::PlannerResponse> Ask(const v1::PlannerRequest& request, CallerGone gone);
  absl::StatusOr<std::unique_ptr<PlannerProcess>> Take();
  void GiveBack(std::unique_ptr<PlannerProcess> process);

  const ChildPlannerOptions options_;
  const std::vector<MethodDescription> methods_;
  const Clock& clock_;
  Mutex mutex_;
  // At most one.
  std::unique_ptr<PlannerProcess> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_PLANNING_CHILD_PLANNER_H_
