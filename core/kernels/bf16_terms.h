// A float as the sum of three bf16 numbers. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_BF16_TERMS_H_
#define TERSOR_CORE_KERNELS_BF16_TERMS_H_

#include <cstdint>

namespace tersor {

inline constexpr int kBF16Terms = 3;

// x = terms[0] + terms[1] + terms[2], `count` of each: the nearest bf16 number, the nearest to what is left, and the
// rest. Exact for magnitudes from 2^-109 up to the largest bf16 number; smaller ones lose what bf16 cannot hold.
void SplitToBF16(const float* x, int64_t count, uint16_t* const (&terms)[kBF16Terms]);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_BF16_TERMS_H_
