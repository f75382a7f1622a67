// Named entities that a text lists, against the right ones (CoNLL's F1 over whole entities).
#ifndef TERSOR_CORE_EVALUATE_METRICS_ENTITY_MATCH_H_
#define TERSOR_CORE_EVALUATE_METRICS_ENTITY_MATCH_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor {

struct EntityCounts {
  double right = 0;
  double predicted = 0;
  double gold = 0;
};

// `prediction` lists "TYPE: text" apart by semicolons or lines ("PER: Peter Blackburn; LOC: Brussels"); "none" or
// nothing is none. `golds` holds one "TYPE: text" each. Types and texts are compared in lower case, each gold entity is
// found once.
EntityCounts CountEntities(absl::string_view prediction, const std::vector<std::string>& golds);

// 2 right / (predicted + gold); 0 where there are none.
double EntityF1(const EntityCounts& counts);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_METRICS_ENTITY_MATCH_H_
