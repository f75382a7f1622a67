// Gates as they are written: "perplexity_ratio <= 1.3", "task.piqa_drop <= 0.02 vs job:label=release".
#ifndef TERSOR_CORE_EVALUATE_GATE_SYNTAX_H_
#define TERSOR_CORE_EVALUATE_GATE_SYNTAX_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

struct GateMetricEntry;

enum class GateOperator { kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// METRIC[SELECTOR] OP NUMBER [vs REFERENCE]. The selector, DATASET or DATASET:CONVENTION, picks one of several
// perplexities.
struct Gate {
  std::string expression = {};
  // As written: "task.piqa.acc_norm_drop".
  std::string metric = {};
  std::string selector = {};
  // Of metrics on one task or ability, its name: "piqa"; and the task's metric where the gate names one: "acc_norm".
  std::string subject = {};
  std::string task_metric = {};
  GateOperator op = GateOperator::kLessOrEqual;
  double limit = 0;
  // What to compare with in place of the recipe's baseline; empty where the gate does not say.
  std::string baseline = {};
  // Never null in a gate that was parsed.
  const GateMetricEntry* entry = nullptr;
};

// INVALID_ARGUMENT says what is wrong; an unknown metric is answered with the known ones and the nearest.
absl::StatusOr<Gate> ParseGate(absl::string_view expression);

bool Holds(GateOperator op, double value, double limit);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATE_SYNTAX_H_
