// Conditions on a report's figures: "perplexity_ratio <= 1.3".
#ifndef TERSOR_CORE_EVALUATE_GATES_H_
#define TERSOR_CORE_EVALUATE_GATES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

enum class GateOperator { kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// METRIC[SELECTOR] OP NUMBER. The selector, DATASET or DATASET:CONVENTION, picks one of several perplexities.
struct Gate {
  std::string expression;
  std::string metric;
  std::string selector;
  GateOperator op = GateOperator::kLessOrEqual;
  double limit = 0;
};

// INVALID_ARGUMENT says what is wrong; an unknown metric is answered with the known ones and the nearest.
absl::StatusOr<Gate> ParseGate(absl::string_view expression);

// Every fault of recipe.gates: syntax, metrics whose evaluation the recipe does not ask for, ambiguous perplexities.
std::vector<FieldViolation> CheckGates(const v1::Recipe& recipe);

// PERPLEXITY_ONLY_GATE where perplexity is all that the gates look at.
std::vector<v1::Warning> GateWarnings(const v1::Recipe& recipe);

// `recipe` has passed CheckGates and is the one the report's figures came from. A figure that is missing or whose
// spread straddles the limit is INCONCLUSIVE; one that is not a number FAILs.
v1::GateResult EvaluateGate(const Gate& gate, const v1::Recipe& recipe, const v1::Report& report);

// Evaluates all gates of `recipe`; sets report.gates and report.verdict.
absl::Status JudgeReport(const v1::Recipe& recipe, v1::Report& report);

struct GateMetric {
  std::string name;
  std::string description;
};
// The metrics that a gate may name, for docs and messages.
std::vector<GateMetric> GateMetrics();

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATES_H_
