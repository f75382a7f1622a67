#include "core/kernels/integer_inputs.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/scratch.h"

namespace tersor {
namespace {

// code = nearest (x * inverse) + zero, nearest within `within`.
struct GroupGrid {
  float scale = 0;
  float inverse = 0;
  InputRange within;
  int zero = 0;
};

// An inverse that is no number belongs to a grid of nothing but zeros.
float UsableInverse(float inverse) { return std::isfinite(inverse) ? inverse : 0; }

GroupGrid UnsignedGrid(float scale, float inverse, float zero_point, int bits) {
  const float last = static_cast<float>((1 << bits) - 1);
  return {scale, inverse, {-zero_point, last - zero_point}, static_cast<int>(zero_point) - (1 << (bits - 1))};
}

GroupGrid FixedGroupGrid(const IntegerInputs& inputs) {
  const float scale = inputs.fixed->scale, inverse = scale > 0 ? UsableInverse(1 / scale) : 0;
  // Pairs have become whole numbers already.
  if (inputs.pairs.has_value()) return {scale, 1, {-127, 127}, 0};
  return UnsignedGrid(scale, inverse, static_cast<float>(inputs.fixed->zero_point), inputs.bits);
}

GroupGrid FindGroupGrid(const IntegerInputs& inputs, const float* x) {
  if (inputs.fixed.has_value()) return FixedGroupGrid(inputs);
  if (inputs.symmetric) {
    const float largest = static_cast<float>((1 << (inputs.bits - 1)) - 1);
    const float magnitude = LargestMagnitude(x, inputs.group_size);
    const float inverse = UsableInverse(largest / magnitude);
    return {inverse > 0 ? magnitude / largest : 0, inverse, {-largest, largest}, 0};
  }
  const auto [low, high] = RangeOf(x, inputs.group_size);
  const float last = static_cast<float>((1 << inputs.bits) - 1);
  const float inverse = UsableInverse(last / (high - low));
  return UnsignedGrid(inverse > 0 ? (high - low) / last : 0, inverse, std::nearbyint(-low * inverse), inputs.bits);
}

// What is rounded group by group; `outliers` counts what was taken out.
const float* Prepare(const IntegerInputs& inputs, const float* x, float* scratch, InputOutlier* found,
                     int64_t& outliers) {
  if (!inputs.shifts.empty()) {
    Subtract(x, inputs.shifts.data(), inputs.inputs, scratch);
    x = scratch;
  }
  if (inputs.outlier_threshold > 0) {
    outliers = TakeOutliers(x, inputs.inputs, inputs.outlier_threshold, scratch, found);
    x = scratch;
  }
  if (inputs.pairs.has_value()) {
    const float inverse = inputs.fixed->scale > 0 ? UsableInverse(1 / inputs.fixed->scale) : 0;
    RoundToPairs(x, inputs.inputs, inverse, 1, *inputs.pairs, scratch);
    x = scratch;
  }
  return x;
}

}  // namespace

bool IntegerInputs::zero_points() const {
  if (pairs.has_value()) return false;
  return fixed.has_value() ? fixed->zero_point != 1 << (bits - 1) : !symmetric;
}

int64_t RoundToIntegers(const IntegerInputs& grid, int64_t segment, const float* x, float* scratch,
                        const IntegerRow& row) {
  int64_t outliers = 0;
  x = Prepare(grid, x, scratch, row.outliers, outliers);
  for (int64_t first = 0; first < grid.inputs; first += grid.group_size) {
    const GroupGrid group = FindGroupGrid(grid, x + first);
    for (int64_t begin = first; begin < first + grid.group_size; begin += segment) {
      const int64_t at = begin / segment;
      row.scales[at] = group.scale;
      row.zero_points[at] = group.zero;
      row.sums[at] =
          RoundToCodes(x + begin, segment, group.inverse, group.within, group.zero, row.flip, row.codes + begin);
    }
  }
  return outliers;
}

void RoundByIntegers(const IntegerInputs& grid, const float* x, float* out) {
  const int64_t groups = grid.inputs / grid.group_size;
  ScratchBuffer buffer(2 * grid.inputs + 3 * groups);
  ScratchBuffer outlier_buffer(grid.outlier_threshold > 0 ? grid.inputs * int64_t{sizeof(InputOutlier) / sizeof(float)}
                                                          : 0);
  IntegerRow row;
  row.scales = buffer.data() + grid.inputs;
  row.zero_points = reinterpret_cast<int32_t*>(row.scales + groups);
  row.sums = row.zero_points + groups;
  row.codes = reinterpret_cast<int8_t*>(row.sums + groups);
  row.outliers = reinterpret_cast<InputOutlier*>(outlier_buffer.data());
  const int64_t outliers = RoundToIntegers(grid, grid.group_size, x, buffer.data(), row);
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t first = group * grid.group_size;
    DecodeCodes(row.codes + first, grid.group_size, row.zero_points[group], row.scales[group], out + first);
  }
  for (int64_t i = 0; i < outliers; ++i) out[row.outliers[i].index] = row.outliers[i].value;
  if (!grid.shifts.empty()) AddTo(grid.shifts.data(), grid.inputs, out);
}

}  // namespace tersor
