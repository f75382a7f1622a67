// The functions between the two matrices of a feed-forward layer, on the calling thread.
#ifndef TERSOR_CORE_KERNELS_ACTIVATIONS_H_
#define TERSOR_CORE_KERNELS_ACTIVATIONS_H_

#include <cstdint>

namespace tersor {

enum class Activation {
  // v / (1 + exp(-v)).
  kSilu,
  // v / 2 * (1 + erf(v / sqrt 2)).
  kGelu,
  // v / 2 * (1 + tanh(sqrt(2 / pi) * (v + 0.044715 v^3))).
  kGeluTanh,
  // max(v, 0).
  kRelu,
};

// x = activation(x). Each result depends on its own value alone, wherever it stands.
void Activate(Activation activation, float* x, int64_t count);

// gate = activation(gate) * up.
void ActivateGated(Activation activation, float* gate, const float* up, int64_t count);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ACTIVATIONS_H_
