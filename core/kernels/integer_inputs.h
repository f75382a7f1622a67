// How rows of inputs become integers of at most 8 bits.
#ifndef TERSOR_CORE_KERNELS_INTEGER_INPUTS_H_
#define TERSOR_CORE_KERNELS_INTEGER_INPUTS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/kernels/input_rounding.h"

namespace tersor {

// value = shift + (code - zero point) * scale, with the bits of the formats of core/encoding: int-token, int-static
// with one grid, outlier-pairs of 4 bits, and any of them shifted.
struct IntegerInputs {
  int64_t inputs = 0;
  // 2 to 8.
  int bits = 8;
  // Neither `fixed` nor `pairs`: scales are found for each row. Symmetric: largest magnitude / (2^(bits-1) - 1), no
  // zero point; else the range of a group and 0, in 2^bits - 1 steps.
  bool symmetric = true;
  // Neighbours that share a scale; divides `inputs`.
  int64_t group_size = 0;
  // Values of at least this magnitude stay floats; 0: none does.
  float outlier_threshold = 0;
  // One scale for all rows, and a zero point 0 .. 2^bits - 1.
  struct FixedGrid {
    float scale = 0;
    int zero_point = 0;
  };
  std::optional<FixedGrid> fixed = {};
  // On the fixed grid's scale; integers from -127 to 127.
  std::optional<PairGrid> pairs = {};
  // [inputs], or none.
  std::vector<float> shifts = {};

  static IntegerInputs Token(int64_t inputs) { return {.inputs = inputs, .group_size = inputs}; }
  // Whether zero points other than 0 occur.
  bool zero_points() const;
};

// Where a row goes. Scales, zero points and sums of codes are those of each segment.
struct IntegerRow {
  int8_t* codes = nullptr;
  // 0x80: codes are stored as bytes of code + 128.
  uint8_t flip = 0;
  float* scales = nullptr;
  int32_t* zero_points = nullptr;
  int32_t* sums = nullptr;
  // Room for all inputs; null where the format has none.
  InputOutlier* outliers = nullptr;
};

// Rounds a row. `segment` divides the group size. `scratch` has room for the row. Returns the number of outliers, in
// rising order, whose code is the zero point; their values are those less the shift.
int64_t RoundToIntegers(const IntegerInputs& grid, int64_t segment, const float* x, float* scratch,
                        const IntegerRow& row);

// The values that the codes stand for. `out` may be `x`.
void RoundByIntegers(const IntegerInputs& grid, const float* x, float* out);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_INTEGER_INPUTS_H_
