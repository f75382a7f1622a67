// One step of AdamW (arXiv 1711.05101) over some values, on the calling thread.
#ifndef TERSOR_CORE_KERNELS_ADAM_STEP_H_
#define TERSOR_CORE_KERNELS_ADAM_STEP_H_

#include <cstdint>

namespace tersor {

struct AdamStep {
  // Learning rate over 1 - beta1^t, and 1 / sqrt(1 - beta2^t), at step t.
  float rate = 0;
  float second_scale = 1;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  // 1 - beta, rounded once: their difference as floats has lost four digits.
  float rest1 = 0.1f;
  float rest2 = 0.001f;
  float epsilon = 1e-8f;
  // Learning rate times weight decay.
  float decay = 0;
  // Gradients are multiplied by it first (clipping).
  float gradient_scale = 1;
};

// first = beta1 first + rest1 g, second = beta2 second + rest2 g^2,
// values -= decay values + rate first / (second_scale sqrt(second) + epsilon). A value's bits depend on nothing else.
void ApplyAdamStep(const AdamStep& step, const float* gradient, float* first, float* second, float* values,
                   int64_t count);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ADAM_STEP_H_
