// Weights whose values are integers of 8 bits times scales. Private to core/model.
#ifndef TERSOR_CORE_MODEL_INTEGER_WEIGHT_H_
#define TERSOR_CORE_MODEL_INTEGER_WEIGHT_H_

#include <cstdint>
#include <vector>

#include "core/kernels/int8_matrix.h"
#include "core/model/linear_kernel.h"

namespace tersor {

// See Int8Weights.
struct IntegerWeight {
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t group_size = 0;
  std::vector<int8_t> codes = {};
  std::vector<float> scales = {};
  std::vector<int8_t> zero_points = {};

  Int8Weights view() const { return {outputs, inputs, group_size, codes, scales, zero_points}; }
};

// Of `rows.weight`, which has no input format. INVALID_ARGUMENT where it is another encoding.
absl::StatusOr<IntegerWeight> ReadIntegerWeight(const WeightRows& rows);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_INTEGER_WEIGHT_H_
