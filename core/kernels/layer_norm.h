// Layer normalization, on the calling thread.
#ifndef TERSOR_CORE_KERNELS_LAYER_NORM_H_
#define TERSOR_CORE_KERNELS_LAYER_NORM_H_

#include <cstdint>

namespace tersor {

// y = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias for each of `rows` rows of `width` values; the
// variance is the mean square of the deviations. x and y may be the same. Strides are in floats.
void LayerNorm(const float* x, int64_t x_stride, int64_t rows, int64_t width, const float* weight, const float* bias,
               float epsilon, float* y, int64_t y_stride);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_LAYER_NORM_H_
