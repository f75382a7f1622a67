// From a request to a stored job.
#ifndef TERSOR_SERVER_ENGINE_SUBMISSION_H_
#define TERSOR_SERVER_ENGINE_SUBMISSION_H_

#include <string>
#include <vector>

#include "core/recipe/sweep.h"
#include "server/base/clock.h"
#include "server/engine/answer_cache.h"
#include "server/engine/model_catalog.h"
#include "server/engine/planner.h"
#include "server/engine/server_limits.h"
#include "server/store/job_store.h"

namespace tersor {

// Thread-safe.
class Submission {
 public:
  Submission(JobStore& store, ModelCatalog& catalog, Planner& planner, AnswerCache& answers, const Clock& clock,
             const ServerLimits& limits)
      : store_(store), catalog_(catalog), planner_(planner), answers_(answers), clock_(clock), limits_(limits) {}

  // Checks and plans the request and stores the job; the same request_id and recipe give the job that is there.
  absl::StatusOr<v1::Job> Submit(const v1::SubmitJobRequest& request, CallerGone gone);
  // The plan alone, with the same errors.
  absl::StatusOr<v1::Plan> Estimate(const v1::EstimateJobRequest& request, CallerGone gone);

 private:
  struct Planned {
    v1::Plan plan;
    std::string model_path;
    // Of evaluate.original and evaluate.baseline_model; empty where the recipe names none.
    std::string original_path;
    std::string baseline_model_path;
  };
  // Pins the jobs that gates compare with and makes them part of the fingerprint.
  absl::Status PinBaselines(const v1::Recipe& recipe, v1::Plan& plan, std::vector<FieldViolation>& violations);
  // What is wrong with the recipe is added to `violations`; the plan is meaningful only when nothing was.
  absl::StatusOr<Planned> PlanRecipe(const v1::Recipe& recipe, const v1::Resources& resources,
                                     std::vector<FieldViolation>& violations, CallerGone gone);
  // The same with the violations as a status.
  absl::StatusOr<Planned> Plan(const v1::Recipe& recipe, const v1::Resources& resources, CallerGone gone);
  // INVALID_ARGUMENT with `violations` and the recipe's own faults.
  absl::Status Refuse(const v1::SubmitJobRequest& request, std::vector<FieldViolation> violations, CallerGone gone);
  absl::StatusOr<v1::Job> FindRepeated(const v1::SubmitJobRequest& request);
  // Plans every point; their faults are told together.
  absl::StatusOr<v1::Job> SubmitSweep(const v1::SubmitJobRequest& request, CallerGone gone);
  absl::StatusOr<v1::Plan> EstimateSweep(const v1::EstimateJobRequest& request, CallerGone gone);
  // The plans of the points, in order.
  absl::StatusOr<std::vector<Planned>> PlanPoints(const std::vector<SweepPoint>& points, const v1::Resources& resources,
                                                  std::vector<FieldViolation> violations, CallerGone gone);
  // RESOURCE_EXHAUSTED (QUEUE_FULL) where so many more jobs would be too many.
  absl::Status CheckQueue(int64_t jobs);
  JobRecord MakeRecord(const v1::SubmitJobRequest& request) const;
  // The job to store, with an earlier job's answer where there is one.
  absl::StatusOr<NewJob> MakeJob(const v1::SubmitJobRequest& request, Planned planned);
  absl::StatusOr<v1::Job> Store(const v1::SubmitJobRequest& request, Planned planned);

  JobStore& store_;
  ModelCatalog& catalog_;
  Planner& planner_;
  AnswerCache& answers_;
  const Clock& clock_;
  const ServerLimits& limits_;
};

// Short name for filters and metrics, of a bounded set: the only stage's method, "mixed", "evaluate" without
// stages, or "sweep".
std::string MethodOf(const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SUBMISSION_H_
