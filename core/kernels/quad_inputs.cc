#include "core/kernels/quad_inputs.h"

#include <algorithm>
#include <cstring>

namespace tersor {
namespace {

constexpr int64_t kRestFloats = sizeof(QuadRest) / sizeof(float);
constexpr int64_t kOutlierFloats = sizeof(InputOutlier) / sizeof(float);

// Puts row `row` of `count` to its place; see QuadRows.
void PlaceRow(const int8_t* row_codes, int64_t row, int64_t count, int64_t stride, int8_t* codes) {
  const int64_t block = row < count / QuadRowBlock() * QuadRowBlock() ? QuadRowBlock() : 1;
  int8_t* to = codes + row / block * block * stride + row % block * kQuadRowStep;
  for (int64_t i = 0; i < stride; i += kQuadRowStep) std::memcpy(to + i * block, row_codes + i, kQuadRowStep);
}

}  // namespace

QuadInputs::QuadInputs(const IntegerInputs& grid, int64_t segment, const PanelRows& x)
    : stride_((grid.inputs + kQuadRowStep - 1) / kQuadRowStep * kQuadRowStep),
      codes_(FloatsFor(x.rows * stride_)),
      numbers_(3 * x.rows * (grid.inputs / segment)),
      rests_(SplitsCodes() ? x.rows * stride_ / 4 * kRestFloats : 0),
      outliers_(grid.outlier_threshold > 0 ? x.rows * grid.inputs * kOutlierFloats : 0) {
  const int64_t segments = grid.inputs / segment;
  const bool splits = SplitsCodes(), outliers = grid.outlier_threshold > 0;
  ScratchBuffer scratch(grid.inputs), row_scratch(FloatsFor(stride_));
  int8_t* row_codes = reinterpret_cast<int8_t*>(row_scratch.data());
  int8_t* codes = reinterpret_cast<int8_t*>(codes_.data());
  float* scales = numbers_.data();
  int32_t* zero_points = reinterpret_cast<int32_t*>(scales + x.rows * segments);
  int32_t* sums = zero_points + x.rows * segments;
  QuadRest* rests = reinterpret_cast<QuadRest*>(rests_.data());
  InputOutlier* found = reinterpret_cast<InputOutlier*>(outliers_.data());
  std::fill(row_codes + grid.inputs, row_codes + stride_, int8_t{0});
  for (int64_t row = 0; row < x.rows; ++row) {
    const int64_t at = row * segments;
    const int64_t count = RoundToIntegers(
        grid, segment, x.x + row * x.x_stride, scratch.data(),
        {row_codes, 0, scales + at, zero_points + at, sums + at, outliers ? found + outlier_starts_[row] : nullptr});
    outlier_starts_[row + 1] = outlier_starts_[row] + count;
    if (splits) rest_starts_[row + 1] = rest_starts_[row] + SplitCodes(row_codes, stride_, rests + rest_starts_[row]);
    PlaceRow(row_codes, row, x.rows, stride_, codes);
  }
  rows_ = {x.rows, codes, stride_, rests, nullptr, scales, nullptr, sums, found, nullptr};
  if (splits) rows_.rest_starts = rest_starts_.data();
  if (grid.zero_points()) rows_.zero_points = zero_points;
  if (outliers) rows_.outlier_starts = outlier_starts_.data();
}

}  // namespace tersor
