// The figures that gates may name, and where in a report they stand.
#ifndef TERSOR_CORE_EVALUATE_GATE_METRICS_H_
#define TERSOR_CORE_EVALUATE_GATE_METRICS_H_

#include <optional>
#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/compare/report_side.h"
#include "core/evaluate/gate_syntax.h"
#include "core/statistics/interval.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// A measured value; without an interval it is exact.
struct GateFigure {
  double value = 0;
  std::optional<Interval> interval = {};
  // What the interval rests on: 200 "items".
  int64_t count = 0;
  absl::string_view unit = {};
  // "" or what keeps it from having an interval, such as "needs at least 2 repeats": no gate on it is decided.
  std::string shortage = {};
};

// What a recipe must ask for, so that the metric is measured.
enum class GateNeed { kNothing, kPerplexity, kDivergence, kPerformance, kTasks, kSuite };

// What stands for NAME in the metric's name, or in [] behind it.
enum class GateScope { kWhole, kPerplexity, kTask, kAbility };

struct GateInput {
  const Gate& gate;
  // Hash of the perplexity that the gate is about; empty for other metrics.
  absl::string_view perplexity_hash;
  // What is judged, and what it is compared with.
  ReportSide after;
  ReportSide before;
  double confidence = 0.95;
};

struct GateMetricEntry {
  absl::string_view name;
  absl::string_view description;
  GateNeed need;
  GateScope scope;
  // May be compared with another job.
  bool comparative;
  // An error's message says why there is no figure.
  absl::StatusOr<GateFigure> (*read)(const GateInput& input);

  bool named() const { return scope == GateScope::kTask || scope == GateScope::kAbility; }
};

// In the order of docs/gates.md.
std::span<const GateMetricEntry> GateMetricTable();
// By the table's name; null where there is none.
const GateMetricEntry* FindGateMetric(absl::string_view name);
// "" or why the recipe does not measure the metric.
absl::string_view MissingEvaluation(GateNeed need, const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATE_METRICS_H_
