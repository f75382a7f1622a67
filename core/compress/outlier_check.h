// Weights and inputs that lie so far from the others that a grid over both has next to nothing left for the others.
#ifndef TERSOR_CORE_COMPRESS_OUTLIER_CHECK_H_
#define TERSOR_CORE_COMPRESS_OUTLIER_CHECK_H_

#include <vector>

#include "core/base/status.h"
#include "core/compress/method.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// How many times as large as the median channel's an input channel's largest weight, or its inputs' magnitude, may be
// without a word.
inline constexpr double kExtremeRatio = 1000;

// EXTREME_OUTLIERS of a segment's layers: the input channel that is farthest out, of each layer's weight, and of their
// inputs where `task.statistics` tell (largest magnitude, else root of the mean square).
absl::StatusOr<std::vector<v1::Warning>> FindExtremeOutliers(const SegmentTask& task);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_OUTLIER_CHECK_H_
