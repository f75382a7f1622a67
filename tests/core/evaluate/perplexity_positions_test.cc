// The mean NLL by how many tokens came before.
#include <cmath>

#include "core/evaluate/perplexity.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

// A window whose first scored token comes after `before` others.
ScoredWindow Window(int64_t begin, int64_t before, int64_t scored, int32_t prefix = -1) {
  return {.begin = begin, .prefix = prefix, .score_begin = begin + before, .score_end = begin + before + scored};
}

v1::PerplexityResult Result(std::vector<ScoredWindow> windows, const std::vector<double>& nlls) {
  const ScoredWindows cut = {.stream = {}, .windows = std::move(windows), .divisor = 1000};
  return MakePerplexityResult("dense", {}, cut, nlls, 1);
}

TEST(PerplexityPositionsTest, WindowsAreLaidOnEachOther) {
  // Two windows of 1 + 512 tokens, two blocks of 256 each.
  const v1::PerplexityResult result = Result({Window(0, 1, 512), Window(513, 1, 512)}, {256, 512, 768, 1024});
  ASSERT_EQ(result.positions_size(), 2);
  EXPECT_EQ(result.positions(0).start(), 1);
  EXPECT_EQ(result.positions(0).n(), 512);
  EXPECT_DOUBLE_EQ(result.positions(0).nll_mean(), (256 + 768) / 512.0);
  EXPECT_EQ(result.positions(1).start(), 257);
  EXPECT_DOUBLE_EQ(result.positions(1).nll_mean(), (512 + 1024) / 512.0);
}

TEST(PerplexityPositionsTest, TheSumsAreThoseOfTheBlocks) {
  // A prefix token counts as read; the last window is shorter and its scored tokens stand late in it.
  const v1::PerplexityResult result =
      Result({Window(0, 0, 512, 7), Window(512, 0, 512, 7), Window(812, 212, 300)}, {10, 20, 30, 40, 50});
  double nll = 0;
  int64_t n = 0;
  for (const auto& position : result.positions()) {
    nll += position.nll_mean() * static_cast<double>(position.n());
    n += position.n();
  }
  EXPECT_NEAR(nll, 150, 1e-9);
  EXPECT_EQ(n, 512 + 512 + 300);
  ASSERT_EQ(result.positions_size(), 2);
  EXPECT_EQ(result.positions(0).start(), 1);
  // 212 tokens before are about as many as 257.
  EXPECT_EQ(result.positions(1).start(), 212);
  EXPECT_NEAR(result.positions(1).nll_mean(), (20 + 40 + 50) / (256.0 + 256 + 300), 1e-12);
}

TEST(PerplexityPositionsTest, SecondHalvesBeginInTheMiddle) {
  const v1::PerplexityResult result = Result({Window(0, 256, 255)}, {300});
  ASSERT_EQ(result.positions_size(), 1);
  EXPECT_EQ(result.positions(0).start(), 256);
}

}  // namespace
}  // namespace tersor
