// Choice of the next id from logits.
#ifndef TERSOR_CORE_MODEL_SAMPLER_H_
#define TERSOR_CORE_MODEL_SAMPLER_H_

#include <cstdint>
#include <random>
#include <span>

namespace tersor {

// Thread-compatible. The same seed and logits give the same ids on every machine.
class Sampler {
 public:
  // A temperature of 0 takes the most likely id, of equal ones the lowest.
  Sampler(double temperature, uint64_t seed) : temperature_(temperature), generator_(seed) {}

  int32_t Next(std::span<const float> logits);

 private:
  double temperature_;
  std::mt19937_64 generator_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_SAMPLER_H_
