#include "core/kernels/pair_rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/encoding/outlier_pairs.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

PairGrid GridOf(const OutlierPairs& pairs) {
  return {pairs.largest_ordinary(), pairs.threshold(), pairs.least_outlier(), pairs.largest_outlier(),
          pairs.mantissa_bits()};
}

// By the codes themselves.
double PlainError(const std::vector<float>& values, float scale, const OutlierPairs& pairs) {
  double error = 0;
  for (size_t i = 0; i < values.size(); i += 2) {
    const float pair[2] = {values[i] * (1 / scale), values[i + 1] * (1 / scale)};
    uint8_t codes[2];
    float decoded[2];
    pairs.Encode(pair, codes);
    pairs.Decode(codes, decoded);
    for (int k = 0; k < 2; ++k) error += std::pow(static_cast<double>(decoded[k]) * scale - values[i + k], 2);
  }
  return error;
}

TEST(PairRoundingTest, ErrorsAreThoseOfTheCodes) {
  for (const int bits : {4, 8}) {
    const OutlierPairs pairs(bits);
    for (const int64_t count : {0, 2, 6, 30, 32, 34, 576, 1538, 4100}) {
      std::vector<float> values = RandomFloats(count, 5);
      for (int64_t i = 0; i < count; i += 11) values[i] *= 40;
      for (int64_t i = 3; i < count; i += 29) values[i] = 0;
      for (const float scale : {1e-3f, 0.02f, 0.1f, 0.5f, 3.0f}) {
        const double plain = PlainError(values, scale, pairs);
        EXPECT_NEAR(PairRoundingError(values.data(), count, scale, GridOf(pairs)), plain, 1e-5 * plain + 1e-9)
            << bits << " " << count << " " << scale;
      }
    }
  }
}

// Each kind of value alone: every outlier, what lies halfway between two, the ends of the ranges.
TEST(PairRoundingTest, TiesAndEndsAreThoseOfTheCodes) {
  for (const int bits : {4, 8}) {
    const OutlierPairs pairs(bits);
    for (float large = 0; large <= 2 * pairs.largest_outlier();
         large = large < 300 ? large + 0.25f : large * 1.03125f) {
      for (const float other : {0.0f, 0.5f, 1.5f, -2.5f, 6.5f, 9.5f, -9.75f, large, -large}) {
        const std::vector<float> values = {other, large}, swapped = {-large, other};
        for (const std::vector<float>* pair : {&values, &swapped}) {
          EXPECT_FLOAT_EQ(static_cast<float>(PairRoundingError(pair->data(), 2, 1.0f, GridOf(pairs))),
                          static_cast<float>(PlainError(*pair, 1.0f, pairs)))
              << bits << " " << (*pair)[0] << " " << (*pair)[1];
        }
      }
    }
  }
}

}  // namespace
}  // namespace tersor
