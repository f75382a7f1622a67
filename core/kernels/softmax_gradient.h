// The gradient of the cross-entropy of one row of logits, on the calling thread.
#ifndef TERSOR_CORE_KERNELS_SOFTMAX_GRADIENT_H_
#define TERSOR_CORE_KERNELS_SOFTMAX_GRADIENT_H_

#include <cstdint>

namespace tersor {

// x[i] = scale * exp(x[i] / temperature - log_sum).
void ScaledSoftmax(float* x, int64_t count, float temperature, float log_sum, float scale);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_SOFTMAX_GRADIENT_H_
