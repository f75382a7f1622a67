// The part of core/pipeline that the server needs, as an interface so that tests can plan without models.
#ifndef TERSOR_SERVER_ENGINE_PLANNER_H_
#define TERSOR_SERVER_ENGINE_PLANNER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/pipeline/pipeline.h"
#include "tersor/v1/lint.pb.h"

namespace tersor {

// Asked now and then while a call is being answered: whether nobody waits for the answer any more.
using CallerGone = absl::FunctionRef<bool()>;

// Thread-safe. CANCELLED where the caller is gone, INVALID_ARGUMENT (INVALID_MODEL) where reading the model failed in a
// way that nothing else can be said of.
class Planner {
 public:
  virtual ~Planner() = default;
  virtual absl::StatusOr<PlanResult> Plan(const v1::Recipe& recipe, const PipelineContext& context,
                                          CallerGone gone) = 0;
  virtual std::vector<MethodDescription> Methods() = 0;
  // `reference` may be empty. See core/lint.
  virtual absl::StatusOr<v1::LintReport> Lint(const std::filesystem::path&, const std::filesystem::path&, CallerGone) {
    return absl::UnimplementedError("this server cannot read models");
  }
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_PLANNER_H_
