// Backward passes of the functions of activations.h, on the calling thread.
#ifndef TERSOR_CORE_KERNELS_ACTIVATION_GRADIENTS_H_
#define TERSOR_CORE_KERNELS_ACTIVATION_GRADIENTS_H_

#include <cstdint>

#include "core/kernels/activations.h"

namespace tersor {

// Of y = activation(x): gradient, y's, becomes x's. ReLU's slope at 0 is 0.
void BackpropagateActivation(Activation activation, const float* x, float* gradient, int64_t count);

// Of y = activation(gate) * up: gradient, y's, becomes up's; gate's goes to `gate_gradient`.
void BackpropagateGated(Activation activation, const float* gate, const float* up, float* gradient,
                        float* gate_gradient, int64_t count);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ACTIVATION_GRADIENTS_H_
