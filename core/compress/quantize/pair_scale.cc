#include "core/compress/quantize/pair_scale.h"

#include <cmath>
#include <limits>

#include "core/kernels/pair_rounding.h"

namespace tersor {
namespace {

constexpr int kScales = 32;
constexpr double kNarrowest = 0.25, kWidest = 2.0, kDeviations = 3.0;

}  // namespace

float FitPairScale(std::span<const float> values, const OutlierPairs& pairs) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  if (squares == 0) return 0;
  const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
  const PairGrid grid = {.largest_ordinary = pairs.largest_ordinary(),
                         .threshold = pairs.threshold(),
                         .least_outlier = pairs.least_outlier(),
                         .largest_outlier = pairs.largest_outlier(),
                         .mantissa_bits = pairs.mantissa_bits()};
  float best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step < kScales; ++step) {
    const double width = kNarrowest * std::pow(kWidest / kNarrowest, static_cast<double>(step) / (kScales - 1));
    const float scale = static_cast<float>(width * kDeviations * deviation / pairs.largest_ordinary());
    if (!(scale > 0) || !std::isfinite(1 / scale)) continue;
    const double error = PairRoundingError(values.data(), static_cast<int64_t>(values.size()), scale, grid);
    if (error >= least) continue;
    least = error;
    best = scale;
  }
  return best;
}

}  // namespace tersor
