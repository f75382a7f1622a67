// Row-wise operations between the matrix products, on the calling thread; chosen at run time for the CPU.
// Plain versions of the same names are in reference.h.
#ifndef TERSOR_CORE_KERNELS_VECTOR_OPS_H_
#define TERSOR_CORE_KERNELS_VECTOR_OPS_H_

#include <cstdint>

namespace tersor {

// Highway's name of the instruction set in use.
const char* KernelIsa();

// y = x / sqrt(mean(x^2) + epsilon) * weight for each of `rows` rows. x and y may be the same. Strides are in floats.
void RmsNorm(const float* x, int64_t x_stride, int64_t rows, int64_t width, const float* weight, float epsilon,
             float* y, int64_t y_stride);

// Rotary embedding in the half-split layout of one row of `heads` heads laid end to end, in place:
// (a, b) -> (a cos - b sin, b cos + a sin) with a the first and b the second half of a head.
// cosines and sines have head_size / 2 values, those of the row's position.
void ApplyRope(float* x, int64_t heads, int64_t head_size, const float* cosines, const float* sines);

// gate = silu(gate) * up, with silu(v) = v / (1 + exp(-v)).
void SwiGlu(float* gate, const float* up, int64_t count);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_VECTOR_OPS_H_
