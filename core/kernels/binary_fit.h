// Fitting sums of scaled signs (binary-coding quantization) to groups of weights, many rows at a time.
#ifndef TERSOR_CORE_KERNELS_BINARY_FIT_H_
#define TERSOR_CORE_KERNELS_BINARY_FIT_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/kernels/grid_rounding.h"

namespace tersor {

inline constexpr int kMostSignPlanes = 8;

// Fits `planes` (1 to kMostSignPlanes) scaled sign planes to each row of a panel (`values`: a panel array, finite, with
// a column for each entry of `importance`): greedily plane by plane, then in at most `rounds` rounds that alternate
// between scales by least squares and the nearest codes, while the row's squared error falls (LUT-GEMM, arXiv
// 2206.09557, section 3.1). A column's squared errors count `importance` times (finite, above 0; ones throughout are
// the paper's fit) in the rounds, not in the greedy fit. The rounds are done a second time from evenly spaced values,
// and the better of the two is taken: what greedy planes lead to is often worse than a plain integer grid, which is one
// of the fits that there are. `scales` [planes][kPanelRows] receives F16 numbers. `codes` (panel array): bit i is the
// sign in plane i, set for 1; the nearest for these scales, or without rounds those of the greedy fit.
void FitBinaryPanel(const float* values, std::span<const float> importance, int planes, int rounds, int32_t* codes,
                    float* scales);

// One group on its sign planes.
struct BinaryCodes {
  std::vector<uint8_t> codes;
  std::vector<float> scales;
};

namespace reference {

// One row of FitBinaryPanel, in double.
BinaryCodes FitBinaryCodes(std::span<const float> values, std::span<const float> importance, int planes, int rounds);

}  // namespace reference
}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_BINARY_FIT_H_
