#include "core/kernels/bf16_terms.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(BF16TermsTest, TheirSumIsTheFloat) {
  for (const int64_t count : {1, 3, 7, 8, 15, 16, 17, 33, 577}) {
    std::vector<float> x = RandomFloats(count, 5);
    for (int64_t i = 0; i < count; ++i) x[i] = std::ldexp(x[i], static_cast<int>(i % 120) - 60);
    x[0] = std::nextafter(1.0f, 2.0f);
    if (count > 2) x[1] = -0.0f, x[2] = -std::nextafter(65504.0f, 0.0f);
    // One more of each, which must not change.
    std::vector<uint16_t> terms[kBF16Terms];
    for (std::vector<uint16_t>& term : terms) term.assign(count + 1, 0x1234);
    SplitToBF16(x.data(), count, {terms[0].data(), terms[1].data(), terms[2].data()});
    for (int64_t i = 0; i < count; ++i) {
      EXPECT_EQ(terms[0][i], FloatToBF16(x[i])) << x[i];
      const double sum =
          static_cast<double>(BF16ToFloat(terms[0][i])) + BF16ToFloat(terms[1][i]) + BF16ToFloat(terms[2][i]);
      EXPECT_EQ(sum, static_cast<double>(x[i])) << i;
    }
    for (const std::vector<uint16_t>& term : terms) EXPECT_EQ(term[count], 0x1234);
  }
}

// Nothing that is not finite comes out as a finite number.
TEST(BF16TermsTest, InfinitiesAndNaNStayWhatTheyAre) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()};
  std::vector<uint16_t> terms[kBF16Terms];
  for (std::vector<uint16_t>& term : terms) term.resize(x.size());
  SplitToBF16(x.data(), 3, {terms[0].data(), terms[1].data(), terms[2].data()});
  for (size_t i = 0; i < x.size(); ++i) {
    const float sum = BF16ToFloat(terms[0][i]) + BF16ToFloat(terms[1][i]) + BF16ToFloat(terms[2][i]);
    EXPECT_FALSE(std::isfinite(sum)) << x[i];
  }
}

}  // namespace
}  // namespace tersor
