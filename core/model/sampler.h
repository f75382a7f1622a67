// Choice of the next id from logits.
#ifndef TERSOR_CORE_MODEL_SAMPLER_H_
#define TERSOR_CORE_MODEL_SAMPLER_H_

#include <cstdint>
#include <random>
#include <span>

#include "core/base/status.h"

namespace tersor {

// FAILED_PRECONDITION: of what is no number none is the largest, and whatever id was taken would be no answer.
absl::Status LogitsWithoutNumber();

// Thread-compatible. The same seed and logits give the same ids on every machine.
class Sampler {
 public:
  // A temperature of 0 takes the most likely id, of equal ones the lowest.
  Sampler(double temperature, uint64_t seed) : temperature_(temperature), generator_(seed) {}

  // LogitsWithoutNumber() where one of them is NaN.
  absl::StatusOr<int32_t> Next(std::span<const float> logits);

 private:
  double temperature_;
  std::mt19937_64 generator_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_SAMPLER_H_
