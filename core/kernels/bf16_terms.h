// Floats as sums of bf16 numbers. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_BF16_TERMS_H_
#define TERSOR_CORE_KERNELS_BF16_TERMS_H_

#include <cstdint>

namespace tersor {

inline constexpr int kMostBF16Terms = 3;

// `count` numbers as sums of `terms` (1 to 3) bf16 numbers each, term t of number i at y[t * stride + i]: the nearest
// bf16 number (ties to even), the nearest to what is left, and so on. Three are exact for magnitudes from 2^-109 up to
// the largest bf16 number; smaller ones lose what bf16 cannot hold. NaN stays NaN in the first term.
void SplitToBF16(const float* x, int64_t count, int terms, uint16_t* y, int64_t stride);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_BF16_TERMS_H_
