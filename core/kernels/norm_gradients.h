// Backward passes of RmsNorm and LayerNorm, on the calling thread. Sums are doubles.
#ifndef TERSOR_CORE_KERNELS_NORM_GRADIENTS_H_
#define TERSOR_CORE_KERNELS_NORM_GRADIENTS_H_

#include <cstdint>

namespace tersor {

// The norm of rows of `width` values: RmsNorm, or LayerNorm where `centered`.
struct NormShape {
  int64_t width = 0;
  float epsilon = 0;
  bool centered = false;
};

// x and gradient (y's) [rows, width] -> x_gradient [rows, width], which is added to where `accumulate`; it may be
// `gradient` itself.
void BackpropagateNorm(const NormShape& norm, const float* x, const float* weight, const float* gradient, int64_t rows,
                       bool accumulate, float* x_gradient);

// weight_gradient += and, unless null, bias_gradient +=, row by row: sums of several batches have the bits of one batch
// that holds them end to end.
void AddNormWeightGradient(const NormShape& norm, const float* x, const float* gradient, int64_t rows,
                           float* weight_gradient, float* bias_gradient);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_NORM_GRADIENTS_H_
