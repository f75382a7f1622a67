// Sums of squares of values and of how far others are from them.
#ifndef TERSOR_CORE_KERNELS_SQUARED_ERROR_H_
#define TERSOR_CORE_KERNELS_SQUARED_ERROR_H_

#include <cstdint>

namespace tersor {

struct SquareSums {
  // Of (other - value)^2.
  double error = 0;
  // Of value^2.
  double energy = 0;
};

// Over `count` pairs of finite numbers. Differences and squares are float, as are the sums of a few hundred of them,
// unless they are too large or too small for that; sums of all are double. On the calling thread.
SquareSums SumSquares(const float* values, const float* others, int64_t count);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_SQUARED_ERROR_H_
