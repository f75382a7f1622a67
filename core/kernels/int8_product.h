// Parts of products of 8-bit integers. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_INT8_PRODUCT_H_
#define TERSOR_CORE_KERNELS_INT8_PRODUCT_H_

#include <cstdint>

namespace tersor {

// Outputs a panel of QuadProduct: [inputs / 4][16][4] weights as codes + 128, inputs padded to whole quads by anything.
inline constexpr int64_t kQuadPanel = 16;
// Rows of codes are padded with zeros to a multiple of this many.
inline constexpr int64_t kQuadRowStep = 64;

// Rounds a row: codes + `offset` go to out[0 .. inputs). Returns the scale; see QuantizeInt8Row. T is int8_t (offset 0)
// or uint8_t (offset 128).
float QuantizeRow(const float* x, int64_t inputs, int8_t* out);
float QuantizeRow(const float* x, int64_t inputs, uint8_t* out);

// What is taken out of four codes: those of inputs 4 quad .. 4 quad + 3.
struct QuadRest {
  int32_t quad = 0;
  int8_t codes[4] = {};
};

// Codes of a row for QuadProduct. AVX2's product of bytes adds two products in 16 bits and saturates there: weights of
// up to 255 leave a pair of neighbouring codes a sum of -128 .. 128. What goes beyond is taken out of the codes into
// `rests`, of which there is room for count / 4; returns how many there are. `count` is a multiple of kQuadRowStep.
int64_t SplitCodes(int8_t* codes, int64_t count, QuadRest* rests);

// Rows of activations: value = (code + rest) * scale.
struct QuadRows {
  int64_t count = 0;
  // [count][stride].
  const int8_t* codes = nullptr;
  int64_t stride = 0;
  // Row r has rests [rest_starts[r], rest_starts[r + 1]).
  const QuadRest* rests = nullptr;
  const int64_t* rest_starts = nullptr;
  const float* scales = nullptr;
  // 128 times the sum of a row's codes and rests: what weights + 128 add to each output.
  const int32_t* corrections = nullptr;
};

// Where the products of one panel go: y = (sum - correction) * (scales * row's scale), plus bias unless null, plus the
// old y where `accumulate`.
struct QuadOutputs {
  // Of the panel, at most 16.
  int64_t count = 0;
  // [16], whatever the count.
  const float* scales = nullptr;
  const float* bias = nullptr;
  bool accumulate = false;
  float* y = nullptr;
  int64_t y_stride = 0;
};

// All rows times one panel; sums are exact.
void QuadProduct(const uint8_t* panel, int64_t quads, const QuadRows& rows, const QuadOutputs& outputs);

// y = (sums - correction) * (scales * scale), plus bias unless null, plus the old y where `accumulate`.
void ScaleSums(const int32_t* sums, const int32_t* correction, const float* scales, float scale, const float* bias,
               bool accumulate, int64_t outputs, float* y);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_INT8_PRODUCT_H_
