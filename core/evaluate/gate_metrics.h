// The figures that gates may name, and where in a report they stand.
#ifndef TERSOR_CORE_EVALUATE_GATE_METRICS_H_
#define TERSOR_CORE_EVALUATE_GATE_METRICS_H_

#include <functional>
#include <optional>
#include <span>

#include "absl/strings/string_view.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// A measured value with the spread of its repeats; low = value = high where it has none.
struct GateFigure {
  double value = 0;
  double low = 0;
  double high = 0;
};

// What a recipe must ask for, so that the metric is measured.
enum class GateNeed { kNothing, kPerplexity, kDivergence, kPerformance };

struct GateMetricEntry {
  absl::string_view name;
  absl::string_view description;
  GateNeed need;
  // Takes a selector: there may be several perplexities.
  bool per_perplexity;
  // `perplexity`: index of the recipe's perplexity, 0 for metrics that have none. nullopt where it was not measured.
  std::optional<GateFigure> (*read)(const v1::Report& report, int perplexity);
};

// In the order of docs/recipes.md.
std::span<const GateMetricEntry> GateMetricTable();
// Null where there is none.
const GateMetricEntry* FindGateMetric(absl::string_view name);
// "" or why the recipe does not measure the metric.
absl::string_view MissingEvaluation(GateNeed need, const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATE_METRICS_H_
