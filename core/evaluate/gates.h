// Conditions on a report's figures, decided by confidence intervals: PASS, FAIL or INCONCLUSIVE. docs/gates.md.
#ifndef TERSOR_CORE_EVALUATE_GATES_H_
#define TERSOR_CORE_EVALUATE_GATES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/evaluate/gate_syntax.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Every fault of recipe.gates and recipe.gating: syntax, metrics whose evaluation the recipe does not ask for,
// ambiguous perplexities, tasks that are not evaluated.
std::vector<FieldViolation> CheckGates(const v1::Recipe& recipe);

// PERPLEXITY_ONLY_GATE where perplexity is all that the gates look at, FEW_REPEATS where a speedup rests on too few
// rounds for the gates' confidence, NOTHING_TO_EXTEND where none of them rests on what could go on.
std::vector<v1::Warning> GateWarnings(const v1::Recipe& recipe);

// Two-sided confidence of the intervals that the recipe's gates are decided by.
double GateConfidence(const v1::Recipe& recipe);
// recipe.gating.on_inconclusive is "extend".
bool ExtendsOnInconclusive(const v1::Recipe& recipe);

// What `gate` compares with: its own reference, else the recipe's, else "", the dense model. Also "" for metrics that
// are not compared with other jobs.
std::string BaselineOf(const Gate& gate, const v1::Recipe& recipe);
// Every reference to an earlier job or report that the recipe's gates use, each once.
std::vector<std::string> GateBaselines(const v1::Recipe& recipe);

// Reports of earlier jobs by the reference that gates use.
using BaselineReports = std::map<std::string, v1::Report>;

// `recipe` has passed CheckGates and is the one the report's figures came from. A figure that is missing, or whose
// interval straddles the limit, is INCONCLUSIVE; one that is not a number FAILs.
v1::GateResult EvaluateGate(const Gate& gate, const v1::Recipe& recipe, const v1::Report& report,
                            const BaselineReports& baselines, double confidence);

// Evaluates all gates of `recipe`; sets report.gates, report.verdict and the comparisons of dense with compressed.
// Gates that are in the report with looks at growing numbers of items (GateLooks) stay as they are.
absl::Status JudgeReport(const v1::Recipe& recipe, const BaselineReports& baselines, v1::Report& report);
// FAIL where a gate failed or a measured figure is no finite number (FiguresWithoutNumber), whatever the gates, else
// INCONCLUSIVE where one is undecided, else PASS.
v1::Verdict VerdictOf(const v1::Report& report);

struct GateMetric {
  std::string name;
  std::string description;
};
// The metrics that a gate may name, for docs and messages.
std::vector<GateMetric> GateMetrics();

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATES_H_
