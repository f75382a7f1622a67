// What a recipe's gates can tell apart, before anything is measured.
#ifndef TERSOR_CORE_EVALUATE_GATE_POWER_H_
#define TERSOR_CORE_EVALUATE_GATE_POWER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// What the gates' intervals will rest on.
struct PlannedEvidence {
  struct Task {
    std::string name = {};
    std::string ability = {};
    // In the end, where the evaluation may go on; `first` are then the items of the first look.
    int64_t items = 0;
    // Of all models that are asked.
    double seconds = 0;
    // The main metric's name, and whether it counts in means of accuracies.
    std::string metric = "acc";
    bool higher_is_better = true;
    // 0 where all are asked at once.
    int64_t first = 0;
    // Items of the whole set, whatever the limit; 0 where that is not known.
    int64_t available = 0;
  };
  std::vector<Task> tasks;
  struct Text {
    // In the end, where the evaluation may go on; `first` are then those of the first look, else 0.
    int64_t blocks = 0;
    double seconds = 0;
    int64_t first = 0;
  };
  // In the order of the recipe's perplexities.
  std::vector<Text> texts;
};

// Standard deviation over blocks of about 256 tokens of what compression adds to the mean NLL, in nats, where nothing
// better is known: an assumption.
inline constexpr double kAssumedBlockDeviation = 0.04;

// One answer a gate on drops of tasks and abilities or on ratios of perplexities, at the recipe's confidence and 80 %
// power; other gates have none. `recipe` has passed CheckGates. Of a mean of scores that are not only right or wrong
// it assumes changes of the same variance. Of metrics that are no mean of items (Matthews, correlations, corpus F1,
// perplexities) nothing can be told before items have been answered: see IsUnknown.
std::vector<v1::GatePower> PowerOfGates(const v1::Recipe& recipe, const PlannedEvidence& evidence);

// Whether the answer is that nothing is known: only its count and its text are set.
bool IsUnknown(const v1::GatePower& power);

// UNDERPOWERED_GATE for each gate whose power is known that would be inconclusive more often than not although nothing
// was lost.
std::vector<v1::Warning> PowerWarnings(const std::vector<v1::GatePower>& powers);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATE_POWER_H_
