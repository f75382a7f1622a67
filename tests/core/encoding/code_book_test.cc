#include "core/encoding/code_book.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;

// Quantile of the standard normal distribution, by bisection on erf.
double NormalQuantile(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * (1 + std::erf(middle / std::sqrt(2.0))) < p ? low : high) = middle;
  }
  return low;
}

// create_normal_map of bitsandbytes: eight quantiles above zero, seven below, divided by the largest.
TEST(CodeBookTest, Nf4HoldsTheQuantilesOfANormalDistribution) {
  const double offset = 0.9677083;
  std::vector<double> expected = {0};
  for (int i = 0; i < 8; ++i) expected.push_back(NormalQuantile(offset + (0.5 - offset) * i / 8));
  for (int i = 0; i < 7; ++i) expected.push_back(-NormalQuantile(offset + (0.5 - offset) * i / 7));
  std::sort(expected.begin(), expected.end());
  const double largest = expected.back();
  ASSERT_EQ(expected.size(), 16u);
  for (int code = 0; code < 16; ++code) {
    EXPECT_NEAR(Nf4Book().Value(static_cast<uint8_t>(code)), expected[code] / largest, 2e-6) << code;
  }
}

TEST(CodeBookTest, E2m1IsThatOfTheMxSpecification) {
  EXPECT_THAT(E2m1Book().values(), ElementsAre(0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6));
}

// The corner values of tables 1 and 2 of the OCP 8-bit floating point specification.
TEST(CodeBookTest, Float8CornersAreThoseOfTheSpecification) {
  EXPECT_EQ(E4m3Book().largest(), 448);
  EXPECT_EQ(E4m3Book().Value(0x08), std::ldexp(1.0f, -6));
  EXPECT_EQ(E4m3Book().Value(0x01), std::ldexp(1.0f, -9));
  EXPECT_EQ(E4m3Book().Value(0xb8), -1);
  EXPECT_FALSE(E4m3Book().IsNumber(0x7f));
  EXPECT_FALSE(E4m3Book().IsNumber(0xff));
  EXPECT_EQ(E5m2Book().largest(), 57344);
  EXPECT_EQ(E5m2Book().Value(0x04), std::ldexp(1.0f, -14));
  EXPECT_EQ(E5m2Book().Value(0x01), std::ldexp(1.0f, -16));
  for (const int code : {0x7c, 0x7d, 0x7e, 0x7f, 0xfc, 0xff}) {
    EXPECT_FALSE(E5m2Book().IsNumber(static_cast<uint8_t>(code)));
  }
}

TEST(CodeBookTest, DynamicMapHasEvenDecades) {
  const auto values = DynamicMapBook().values();
  EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
  EXPECT_EQ(DynamicMapBook().largest(), 1);
  EXPECT_EQ(values[127], 0);
  // The finest and the coarsest decades: one mean of 0.1 .. 1 times 1e-6, 64 of them times 1.
  EXPECT_THAT(values[128], FloatNear(0.55e-6f, 1e-12f));
  EXPECT_THAT(values[254], FloatNear(0.1f + 0.9f * 63.5f / 64, 1e-6f));
  EXPECT_THAT(values[0], FloatNear(-values[254], 1e-9f));
}

TEST(CodeBookTest, NearestFindsTheNearest) {
  std::mt19937 random(5);
  for (const CodeBook* book : CodeBooks()) {
    std::uniform_real_distribution<float> uniform(-1.2f * book->largest(), 1.2f * book->largest());
    for (int i = 0; i < 2000; ++i) {
      const float value = i % 2 ? uniform(random) : uniform(random) * 1e-3f;
      float best = INFINITY;
      for (const float candidate : book->values()) {
        if (candidate == candidate) best = std::min(best, std::abs(candidate - value));
      }
      EXPECT_EQ(std::abs(book->Value(book->Nearest(value)) - value), best) << book->name() << " " << value;
    }
    for (const float number : book->values()) {
      if (number != number) continue;
      EXPECT_EQ(book->Value(book->Nearest(number)), number);
    }
    EXPECT_EQ(book->Value(book->Nearest(INFINITY)), book->largest());
    EXPECT_EQ(FindCodeBook(book->name()), book);
  }
  EXPECT_EQ(FindCodeBook("nf5"), nullptr);
}

TEST(CodeBookTest, TiesOfFloatsGoToTheEvenMantissa) {
  EXPECT_EQ(E2m1Book().Value(E2m1Book().Nearest(2.5f)), 2);
  EXPECT_EQ(E2m1Book().Value(E2m1Book().Nearest(3.5f)), 4);
  EXPECT_EQ(E2m1Book().Value(E2m1Book().Nearest(-5)), -4);
  EXPECT_EQ(E2m1Book().Value(E2m1Book().Nearest(0.25f)), 0);
  EXPECT_EQ(E4m3Book().Value(E4m3Book().Nearest(17)), 16);
  EXPECT_EQ(E4m3Book().Value(E4m3Book().Nearest(19)), 20);
  // Zero has one code.
  EXPECT_EQ(E4m3Book().Nearest(-1e-9f), 0);
}

// Around every middle between two neighbours, where another code begins.
TEST(CodeBookTest, NearestChangesAtTheMiddles) {
  for (const CodeBook* book : CodeBooks()) {
    std::vector<float> numbers;
    for (const float number : book->values()) {
      if (!std::isnan(number)) numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    for (size_t i = 0; i + 1 < numbers.size(); ++i) {
      const float middle = (numbers[i] + numbers[i + 1]) / 2;
      EXPECT_EQ(book->Value(book->Nearest(std::nextafter(middle, -INFINITY))), numbers[i]) << book->name() << middle;
      EXPECT_EQ(book->Value(book->Nearest(std::nextafter(middle, INFINITY))), numbers[i + 1]) << book->name() << middle;
    }
    EXPECT_EQ(book->Value(book->Nearest(-INFINITY)), numbers.front());
  }
}

}  // namespace
}  // namespace tersor
