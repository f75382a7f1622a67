// Parts of products of 8-bit integers. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_INT8_PRODUCT_H_
#define TERSOR_CORE_KERNELS_INT8_PRODUCT_H_

#include <cstdint>

namespace tersor {

// Outputs a panel of PairProduct: [inputs / 2][16][2] 16-bit weights, an odd last input paired with zeros.
inline constexpr int64_t kPairPanel = 16;

// Rounds a row: codes + `offset` go to out[0 .. inputs). Returns the scale; see QuantizeInt8Row. T is int8_t (offset
// 0), uint8_t (offset 128) or int16_t.
float QuantizeRow(const float* x, int64_t inputs, int8_t* out);
float QuantizeRow(const float* x, int64_t inputs, uint8_t* out);
float QuantizeRow(const float* x, int64_t inputs, int16_t* out);

// sums [rows][16] of one panel: x [rows] of 16-bit values, rows `x_stride` apart and padded with a zero to even length.
void PairProduct(const int16_t* panel, const int16_t* x, int64_t x_stride, int64_t rows, int64_t inputs, int32_t* sums,
                 int64_t sums_stride);

// y = (sums - correction) * scales * scale, plus bias unless null, plus the old y where `accumulate`; `correction` may
// be null.
void ScaleSums(const int32_t* sums, const int32_t* correction, const float* scales, float scale, const float* bias,
               bool accumulate, int64_t outputs, float* y);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_INT8_PRODUCT_H_
