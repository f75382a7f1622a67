// Weights that are no numbers.
#ifndef TERSOR_CORE_MODEL_FINITE_WEIGHTS_H_
#define TERSOR_CORE_MODEL_FINITE_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model.h"

namespace tersor {

// The first element of a parameter, row by row, that is NaN or infinite.
struct NonFiniteWeight {
  std::string parameter;
  Shape shape;
  int64_t row = 0;
  int64_t column = 0;
  // NaN, or an infinity.
  float value = 0;
};

// One for each parameter that holds such a value as it is decoded, in the order of their names; none for a sound model.
// Looks at every weight, on `threads` threads: plain numbers in their own type, others decoded but for
// integer codes whose scales tell. Gives back the pages of mapped files.
std::vector<NonFiniteWeight> NonFiniteWeights(const Model& model, int threads);

// `"model.norm.weight" holds NaN at element [3]` (`[0, 3]` of a matrix).
std::string Describe(const NonFiniteWeight& weight);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_FINITE_WEIGHTS_H_
