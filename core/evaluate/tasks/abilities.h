// What a suite's tasks say about each ability, after LLM-KICK (arXiv 2310.01382): perplexity may survive what knowledge
// does not.
#ifndef TERSOR_CORE_EVALUATE_TASKS_ABILITIES_H_
#define TERSOR_CORE_EVALUATE_TASKS_ABILITIES_H_

#include <vector>

#include "tersor/v1/report.pb.h"

namespace tersor {

// A loss below this many points is taken for none.
inline constexpr double kAbilityTolerance = 0.05;

// One result for each ability that tasks of the report name, dense and compressed both, in the order of AbilityNames().
// A task counts by its first metric that is a mean over items; tasks weigh equally. The interval is of the paired
// differences, with Agresti and Min's two added items, so that a few items without a flip prove nothing.
std::vector<v1::AbilityResult> SummarizeAbilities(const v1::Report& report);

// PERPLEXITY_HIDES_DAMAGE for an ability that is damaged while the perplexity hardly rose.
std::vector<v1::Warning> AbilityWarnings(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_ABILITIES_H_
