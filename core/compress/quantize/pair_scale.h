// The scale of OliVe's outlier-victim pairs.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_PAIR_SCALE_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_PAIR_SCALE_H_

#include <span>

#include "core/encoding/outlier_pairs.h"

namespace tersor {

// The scale, of about thirty, with the least squared error of the pairs of `values` (an even number, finite): from 3
// standard deviations for the largest ordinary value downwards and upwards (arXiv 2304.07493, section 4.2). Not
// rounded; 0 where all values are.
float FitPairScale(std::span<const float> values, const OutlierPairs& pairs);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_PAIR_SCALE_H_
