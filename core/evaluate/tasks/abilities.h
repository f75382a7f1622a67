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
// A task counts by its main metric where that is better when higher; tasks weigh equally. Drop and interval are those
// of MeanDropOf, which the gate `ability.NAME_drop` is decided by; where such a gate of the report looked several
// times, its last look's, so that a verdict and a gate never contradict each other.
std::vector<v1::AbilityResult> SummarizeAbilities(const v1::Report& report, double confidence);

// PERPLEXITY_HIDES_DAMAGE for an ability that is damaged while the perplexity hardly rose.
std::vector<v1::Warning> AbilityWarnings(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_ABILITIES_H_
