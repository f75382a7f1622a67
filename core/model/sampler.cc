#include "core/model/sampler.h"

#include <algorithm>
#include <cmath>

namespace tersor {

absl::Status LogitsWithoutNumber() {
  return absl::FailedPreconditionError(
      "the model's logits are not numbers: its weights hold NaN or infinite values, or make some on the way; `tersor "
      "lint MODEL` says whether the file does");
}

absl::StatusOr<int32_t> Sampler::Next(std::span<const float> logits) {
  if (std::any_of(logits.begin(), logits.end(), [](float logit) { return std::isnan(logit); })) {
    return LogitsWithoutNumber();
  }
  const auto best = std::max_element(logits.begin(), logits.end());
  // Infinite as the largest: no difference to it is a number.
  if (!std::isfinite(*best)) return LogitsWithoutNumber();
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
