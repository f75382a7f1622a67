// Parts of products of 8-bit integers. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_INT8_PRODUCT_H_
#define TERSOR_CORE_KERNELS_INT8_PRODUCT_H_

#include <cstdint>

#include "core/kernels/input_rounding.h"

namespace tersor {

// Outputs a panel of QuadProduct.
inline constexpr int64_t kQuadPanel = 16;
// Rows of codes are padded with zeros to a multiple of this many.
inline constexpr int64_t kQuadRowStep = 64;

// So many rows are multiplied together, others alone.
int64_t QuadRowBlock();

// What is taken out of four codes: those of inputs 4 quad .. 4 quad + 3.
struct QuadRest {
  int32_t quad = 0;
  int8_t codes[4] = {};
};

// Codes of a row for QuadProduct where SplitsCodes(). AVX2's product of bytes adds two products in 16 bits and
// saturates there: weights of up to 255 leave a pair of neighbouring codes a sum of -128 .. 128. What goes beyond is
// taken out of the codes into `rests`, in rising order, of which there is room for count / 4; returns how many there
// are. `count` is a multiple of kQuadRowStep.
int64_t SplitCodes(int8_t* codes, int64_t count, QuadRest* rests);
// False with VNNI, whose sums do not saturate.
bool SplitsCodes();

// 16 outputs. Inputs lie in groups, which have whole quads where there are several; value = (code - zero point) *
// scale.
struct QuadWeights {
  // [quads][16][4] codes + 128; inputs are padded to whole quads by anything.
  const uint8_t* codes = nullptr;
  int64_t quads = 0;
  int64_t groups = 1;
  // [groups][16], whatever the number of outputs.
  const float* scales = nullptr;
  // 128 + zero point, [groups][16]; null: 128.
  const int32_t* offsets = nullptr;
  // Of (code - zero point) over a group, [groups][16]; needed where rows have zero points.
  const int32_t* sums = nullptr;
};

// Rows of activations: value = (code + rest - zero point) * scale.
struct QuadRows {
  int64_t count = 0;
  // Each QuadRowBlock() rows are a block [stride / kQuadRowStep][rows][kQuadRowStep], so that constants tell how far
  // its rows are apart; those left are blocks of one.
  const int8_t* codes = nullptr;
  int64_t stride = 0;
  // Row r has rests [rest_starts[r], rest_starts[r + 1]); both null where codes are not split.
  const QuadRest* rests = nullptr;
  const int64_t* rest_starts = nullptr;
  // [count][groups]: scales, zero points (null: 0), and sums of codes and rests.
  const float* scales = nullptr;
  const int32_t* zero_points = nullptr;
  const int32_t* sums = nullptr;
  // Row r has outliers [outlier_starts[r], outlier_starts[r + 1]), whose code is the zero point; null: there are none.
  const InputOutlier* outliers = nullptr;
  const int64_t* outlier_starts = nullptr;
};

// Where the products of one panel go.
struct QuadOutputs {
  // Of the panel, at most 16.
  int64_t count = 0;
  // Added unless null: constants of the matrix, and the caller's.
  const float* constants = nullptr;
  const float* bias = nullptr;
  bool accumulate = false;
  float* y = nullptr;
  int64_t y_stride = 0;
};

// All rows times one panel: the exact sum of a group times both its scales, group by group, then the outliers.
void QuadProduct(const QuadWeights& weights, const QuadRows& rows, const QuadOutputs& outputs);

// Of one row: y = (sums - offset * weight_sums) * (scales * scale), plus `constants` and `bias` unless null, plus the
// old y where `accumulate`.
struct RowSums {
  int64_t outputs = 0;
  const int32_t* sums = nullptr;
  int32_t offset = 0;
  const int32_t* weight_sums = nullptr;
  const float* scales = nullptr;
  float scale = 0;
  const float* constants = nullptr;
  const float* bias = nullptr;
  bool accumulate = false;
};
void ScaleSums(const RowSums& row, float* y);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_INT8_PRODUCT_H_
