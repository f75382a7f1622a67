#include "core/compress/quantize/span_rounding.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/compress/quantize/rtn.h"
#include "core/encoding/dense_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using ::testing::HasSubstr;

// Rows of different sizes, one of zeros, one of a single sign, single groups of zeros.
std::vector<float> SomeWeights(int64_t rows, int64_t columns) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> weights(rows * columns);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < columns; ++k) {
      float& weight = weights[i * columns + k];
      weight = normal(random) * std::ldexp(1.0f, static_cast<int>(i % 7) - 3);
      if (i == 1 || (i == 2 && k < columns / 2)) weight = 0;
      if (i == 3) weight = std::abs(weight) + 0.5f;
    }
  }
  return weights;
}

absl::StatusOr<EncodedLayer> Encode(const std::vector<float>& weights, int64_t rows, const GridOptions& options,
                                    int threads) {
  const int64_t columns = static_cast<int64_t>(weights.size()) / rows;
  const EncodedTensorPtr stored = *DenseTensor::FromFloats({rows, columns}, weights);
  return EncodeToSpans({.stored = stored.get(), .threads = threads}, options);
}

void ExpectSameFields(const EncodedTensor& a, const EncodedTensor& b, const std::string& what) {
  const std::vector<EncodedField> ours = a.Fields(), theirs = b.Fields();
  ASSERT_EQ(ours.size(), theirs.size()) << what;
  EXPECT_EQ(a.Parameters(), b.Parameters()) << what;
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].name, theirs[i].name);
    EXPECT_TRUE(std::ranges::equal(ours[i].tensor.bytes(), theirs[i].tensor.bytes())) << what << " " << ours[i].name;
  }
}

TEST(SpanRoundingTest, GivesTheBitsOfRoundToNearest) {
  struct Case {
    int64_t rows, columns, group;
  };
  for (const auto& [rows, columns, group] :
       {Case{1, 1, 1}, Case{5, 6, 3}, Case{32, 64, 64}, Case{33, 128, 32}, Case{70, 119, 17}, Case{100, 576, -1}}) {
    const std::vector<float> weights = SomeWeights(rows, columns);
    for (int bits = 2; bits <= 8; ++bits) {
      for (const bool symmetric : {true, false}) {
        const GridOptions options = {bits, group, symmetric, v1::SCALE_SEARCH_MINMAX};
        const std::string what = std::to_string(rows) + "x" + std::to_string(columns) + " bits " +
                                 std::to_string(bits) + (symmetric ? " symmetric" : "");
        const auto expected = RoundToNearest({weights.data(), rows, columns}, options, 1)->Encode();
        const absl::StatusOr<EncodedLayer> encoded = Encode(weights, rows, options, 3);
        ASSERT_TRUE(encoded.ok()) << encoded.status();
        ExpectSameFields(*encoded->weight, **expected, what);
        const double error = RelativeError(**DenseTensor::FromFloats({rows, columns}, weights), **expected, nullptr, 1);
        EXPECT_NEAR(*encoded->weight_error, error, 1e-6 * error) << what;
      }
    }
  }
}

TEST(SpanRoundingTest, NamesTheWeightThatCannotBeRounded) {
  const GridOptions options = {4, 8, true, v1::SCALE_SEARCH_MINMAX};
  const auto error = [&](float value) {
    std::vector<float> weights = SomeWeights(50, 16);
    weights[41 * 16 + 9] = value;
    return std::string(Encode(weights, 50, options, 2).status().message());
  };
  EXPECT_THAT(error(1e6f), HasSubstr("weight [41, 9] is 1e+06, too large for an F16 scale"));
  EXPECT_THAT(error(-INFINITY), HasSubstr("weight [41, 9] is -inf, not a finite number"));
  EXPECT_THAT(error(NAN), HasSubstr("weight [41, 9] is nan, not a finite number"));
}

}  // namespace
}  // namespace tersor
