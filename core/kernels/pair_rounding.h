// Rounding to outlier-victim pairs (OliVe, arXiv 2304.07493): what a scale costs.
#ifndef TERSOR_CORE_KERNELS_PAIR_ROUNDING_H_
#define TERSOR_CORE_KERNELS_PAIR_ROUNDING_H_

#include <cstdint>

namespace tersor {

// What two neighbours can be, in units of the scale: integers up to the largest ordinary one; or, where the larger
// magnitude is above the threshold, 0 for the smaller and for the larger the nearest float (the lower of two equally
// near) of so many mantissa bits between the least and the largest outlier.
struct PairGrid {
  float largest_ordinary = 0;
  float threshold = 0;
  float least_outlier = 0;
  float largest_outlier = 0;
  int mantissa_bits = 0;
};

// Sum of squared differences between `values` (an even count, finite) and what they become. `scale` is above 0 and so
// is its inverse.
double PairRoundingError(const float* values, int64_t count, float scale, const PairGrid& grid);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PAIR_ROUNDING_H_
