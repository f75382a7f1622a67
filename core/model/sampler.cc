#include "core/model/sampler.h"

#include <algorithm>
#include <cmath>

namespace tersor {

int32_t Sampler::Next(std::span<const float> logits) {
  const auto best = std::max_element(logits.begin(), logits.end());
  if (temperature_ <= 0) return static_cast<int32_t>(best - logits.begin());
  double sum = 0;
  for (const float logit : logits) sum += std::exp((static_cast<double>(logit) - *best) / temperature_);
  // 53 random bits: the standard's distributions differ between libraries.
  double left = static_cast<double>(generator_() >> 11) * 0x1p-53 * sum;
  for (size_t i = 0; i < logits.size(); ++i) {
    left -= std::exp((static_cast<double>(logits[i]) - *best) / temperature_);
    if (left < 0) return static_cast<int32_t>(i);
  }
  return static_cast<int32_t>(best - logits.begin());
}

}  // namespace tersor
