// From a request to a stored job.
#ifndef TERSOR_SERVER_ENGINE_SUBMISSION_H_
#define TERSOR_SERVER_ENGINE_SUBMISSION_H_

#include <string>

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
  absl::StatusOr<v1::Job> Submit(const v1::SubmitJobRequest& request);
  // The plan alone, with the same errors.
  absl::StatusOr<v1::Plan> Estimate(const v1::EstimateJobRequest& request);

 private:
  struct Planned {
    v1::Plan plan;
    std::string model_path;
  };
  absl::StatusOr<Planned> Plan(const v1::Recipe& recipe, const v1::Resources& resources);
  absl::StatusOr<v1::Job> FindRepeated(const v1::SubmitJobRequest& request);
  absl::StatusOr<v1::Job> Store(const v1::SubmitJobRequest& request, Planned planned);

  JobStore& store_;
  ModelCatalog& catalog_;
  Planner& planner_;
  AnswerCache& answers_;
  const Clock& clock_;
  const ServerLimits& limits_;
};

// Short name for filters and metrics, of a bounded set: the only stage's method, "mixed", or "evaluate" without stages.
std::string MethodOf(const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SUBMISSION_H_
