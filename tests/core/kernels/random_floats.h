// Normally distributed test data.
#ifndef TERSOR_TESTS_CORE_KERNELS_RANDOM_FLOATS_H_
#define TERSOR_TESTS_CORE_KERNELS_RANDOM_FLOATS_H_

#include <cstdint>
#include <random>
#include <vector>

namespace tersor {

inline std::vector<float> RandomFloats(int64_t count, uint32_t seed, float deviation = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_KERNELS_RANDOM_FLOATS_H_
