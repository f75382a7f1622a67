// Weights and inputs that lie so far from the others that a grid over both has next to nothing left for the others.
#ifndef TERSOR_CORE_COMPRESS_OUTLIER_CHECK_H_
#define TERSOR_CORE_COMPRESS_OUTLIER_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include "core/compress/method.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// How many times as large as the median channel's an input channel's largest weight, or its inputs' magnitude, may be
// without a word.
inline constexpr double kExtremeRatio = 1000;

// EXTREME_OUTLIERS of a layer's weight: the input channel that is farthest out, by the largest magnitude of each.
std::optional<v1::Warning> FindWeightOutlier(const std::string& layer, const std::vector<float>& column_magnitudes);

// The same of a segment's inputs, where `task.statistics` tell (largest magnitude, else root of the mean square).
std::optional<v1::Warning> FindInputOutlier(const SegmentTask& task);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_OUTLIER_CHECK_H_
