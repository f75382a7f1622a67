#include "core/compare/perplexity_error.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace tersor {
namespace {

v1::PerplexityResult Result(const std::vector<std::pair<int64_t, double>>& blocks, int64_t count) {
  v1::PerplexityResult result;
  double sum = 0;
  for (const auto& [n, nll] : blocks) {
    v1::PerplexityResult::Window* window = result.add_windows();
    window->set_n(n);
    window->set_nll_sum(nll);
    sum += nll;
  }
  result.set_nll_sum(sum);
  result.set_count(count);
  result.set_value(std::exp(sum / static_cast<double>(count)));
  return result;
}

// Means of 3, 2 and 4 nats a token in blocks of equal size have the standard error 1 / sqrt(3).
TEST(PerplexityErrorTest, IsTheMeansTakenThroughTheExponential) {
  const v1::PerplexityResult tokens = Result({{100, 300}, {100, 200}, {100, 400}}, 300);
  ASSERT_TRUE(PerplexityStandardError(tokens).has_value());
  EXPECT_NEAR(*PerplexityStandardError(tokens), std::exp(3) / std::sqrt(3), 1e-9);
  // Half as many words as tokens: twice the exponent.
  const v1::PerplexityResult words = Result({{100, 300}, {100, 200}, {100, 400}}, 150);
  EXPECT_NEAR(*PerplexityStandardError(words), std::exp(6) * 2 / std::sqrt(3), 1e-6);
}

TEST(PerplexityErrorTest, BlocksGoBeforeWindows) {
  v1::PerplexityResult result = Result({{200, 500}}, 200);
  EXPECT_FALSE(PerplexityStandardError(result).has_value());
  for (const double nll : {300.0, 200.0}) {
    v1::PerplexityResult::Block* block = result.mutable_windows(0)->add_blocks();
    block->set_n(100);
    block->set_nll_sum(nll);
  }
  EXPECT_EQ(NllBlocksOf(result).tokens.size(), 2);
  EXPECT_NEAR(*PerplexityStandardError(result), std::exp(2.5) * 0.5, 1e-9);
}

TEST(PerplexityErrorTest, WhatTheResultSaysIsTaken) {
  v1::PerplexityResult result = Result({{100, 300}, {100, 200}, {100, 400}}, 300);
  result.set_standard_error(0.5);
  EXPECT_EQ(PerplexityStandardError(result), 0.5);
  // As a report that was written as null is read.
  result.set_standard_error(std::numeric_limits<double>::quiet_NaN());
  EXPECT_NEAR(*PerplexityStandardError(result), std::exp(3) / std::sqrt(3), 1e-9);
}

TEST(PerplexityErrorTest, NoneWhereNothingIsKnown) {
  EXPECT_FALSE(PerplexityStandardError(v1::PerplexityResult()).has_value());
  v1::PerplexityResult broken = Result({{100, 300}, {100, 200}}, 200);
  broken.set_value(std::numeric_limits<double>::infinity());
  EXPECT_FALSE(PerplexityStandardError(broken).has_value());
}

}  // namespace
}  // namespace tersor
