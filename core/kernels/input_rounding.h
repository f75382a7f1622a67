// Rounding of inputs, as often as a token enters a layer. Each gives the bits of its plain form in core/encoding.
// Private to core/kernels but for the grids.
#ifndef TERSOR_CORE_KERNELS_INPUT_ROUNDING_H_
#define TERSOR_CORE_KERNELS_INPUT_ROUNDING_H_

#include <cstdint>

namespace tersor {

// Floats of few bits: magnitudes up to `largest`, of `mantissa_bits` behind the first, which below 2^least_exponent are
// evenly spaced. Halfway values go to the even mantissa.
struct MinifloatGrid {
  int mantissa_bits = 3;
  int least_exponent = -6;
  float largest = 448;
};

// OliVe's outlier-victim pairs (core/encoding/outlier_pairs.h).
struct PairGrid {
  float largest_ordinary = 7;
  float least_outlier = 12;
  float largest_outlier = 96;
  // Of an outlier, behind the first.
  int mantissa_bits = 1;
};

// A grid of its own for each input: value = (code - zero point) * scale, codes 0 .. last. Inverses are 1 / scale, or 0
// where everything is 0.
struct InputGrids {
  const float* scales = nullptr;
  const float* inverses = nullptr;
  const float* zero_points = nullptr;
  float last = 255;
};

// An input that is multiplied in float.
struct InputOutlier {
  int64_t index = 0;
  float value = 0;
};

struct InputRange {
  float low = 0;
  float high = 0;
};

float LargestMagnitude(const float* x, int64_t count);
// Of the values and 0.
InputRange RangeOf(const float* x, int64_t count);
// out = x - y, or x + y.
void Subtract(const float* x, const float* y, int64_t count, float* out);
void AddTo(const float* y, int64_t count, float* x);

// Values of at least `threshold` go to `outliers`, which has room for `count`, and become 0 in `rest`, which may be
// `x`. Returns how many.
int64_t TakeOutliers(const float* x, int64_t count, float threshold, float* rest, InputOutlier* outliers);

// code = nearest even (x * inverse), held within low .. high, which are whole, plus `zero`: within -128 .. 127. `flip`,
// 0 or 0x80, is xored into the stored byte. Returns the sum of the codes.
int32_t RoundToCodes(const float* x, int64_t count, float inverse, InputRange within, int zero, uint8_t flip,
                     int8_t* codes);
// out = (code - zero) * scale.
void DecodeCodes(const int8_t* codes, int64_t count, int zero, float scale, float* out);

// Pairs of neighbours of x * inverse, times `scale`. `count` is even. `out` may be `x` here and below.
void RoundToPairs(const float* x, int64_t count, float inverse, float scale, const PairGrid& grid, float* out);
void RoundToMinifloat(const float* x, int64_t count, float inverse, float scale, const MinifloatGrid& grid, float* out);
void RoundToGrids(const float* x, int64_t count, const InputGrids& grids, float* out);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_INPUT_ROUNDING_H_
