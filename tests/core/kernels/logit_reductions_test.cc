#include "core/kernels/logit_reductions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/kernels/reference.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(LogitReductionsTest, LogSumExpAndArgmaxOverChunks) {
  for (const int64_t count : {1, 7, 16, 160, 1000, 4099}) {
    const std::vector<float> logits = RandomFloats(count, 1, 5);
    const double expected = reference::LogSumExp(logits);
    const int64_t best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    for (const int64_t chunk : {3, 64, 512, 5000}) {
      LogitStats stats;
      for (int64_t first = 0; first < count; first += chunk) {
        stats.Append(ReduceLogits(logits.data() + first, std::min(chunk, count - first), first));
      }
      EXPECT_NEAR(stats.LogSumExp(), expected, 2e-7);
      EXPECT_EQ(stats.argmax, best);
      EXPECT_EQ(stats.largest, logits[best]);
    }
  }
}

// One logit that is no number, wherever it stands, is no row of numbers.
TEST(LogitReductionsTest, WhatIsNoNumberIsNotLeftOut) {
  for (const float broken : {std::nanf(""), HUGE_VALF}) {
    for (const int64_t count : {1, 7, 16, 160, 1000}) {
      for (const int64_t at : {int64_t{0}, count / 2, count - 1}) {
        std::vector<float> logits = RandomFloats(count, 1, 5);
        const std::vector<float> sound = RandomFloats(count, 2, 5);
        logits[at] = broken;
        EXPECT_TRUE(std::isnan(ReduceLogits(logits.data(), count, 0).LogSumExp())) << count << " " << at;
        EXPECT_TRUE(std::isnan(ReduceLogitPair(sound.data(), logits.data(), count, 0).Divergence()));
        EXPECT_TRUE(std::isnan(ReduceLogitPair(logits.data(), sound.data(), count, 0).Divergence()));
        LogitStats stats;
        for (int64_t first = 0; first < count; first += 3) {
          stats.Append(ReduceLogits(logits.data() + first, std::min<int64_t>(3, count - first), first));
        }
        EXPECT_TRUE(std::isnan(stats.LogSumExp())) << count << " " << at;
      }
    }
  }
}

TEST(LogitReductionsTest, TheLowestOfEqualIdsWins) {
  std::vector<float> logits(100, -2.0f);
  logits[31] = logits[77] = 5.0f;
  LogitStats stats = ReduceLogits(logits.data(), 50, 0);
  stats.Append(ReduceLogits(logits.data() + 50, 50, 50));
  EXPECT_EQ(stats.argmax, 31);
}

TEST(LogitReductionsTest, FarApartLogitsDoNotOverflow) {
  const std::vector<float> logits = {-3e4f, 3e4f, 2e4f, 0};
  EXPECT_DOUBLE_EQ(ReduceLogits(logits.data(), 4, 0).LogSumExp(), 3e4);
  LogitStats stats = ReduceLogits(logits.data(), 1, 0);
  stats.Append(ReduceLogits(logits.data() + 1, 3, 1));
  EXPECT_DOUBLE_EQ(stats.LogSumExp(), 3e4);
}

TEST(LogitReductionsTest, DivergenceOverChunks) {
  for (const int64_t count : {5, 160, 4099}) {
    const std::vector<float> dense = RandomFloats(count, 2, 4);
    std::vector<float> other = RandomFloats(count, 3, 0.5f);
    for (int64_t i = 0; i < count; ++i) other[i] += dense[i];
    const double expected = reference::Divergence(dense, other);
    for (const int64_t chunk : {16, 100, 5000}) {
      DivergenceStats stats, same;
      for (int64_t first = 0; first < count; first += chunk) {
        const int64_t part = std::min(chunk, count - first);
        stats.Append(ReduceLogitPair(dense.data() + first, other.data() + first, part, first));
        same.Append(ReduceLogitPair(dense.data() + first, dense.data() + first, part, first));
      }
      EXPECT_NEAR(stats.Divergence(), expected, 2e-6 * (1 + expected));
      EXPECT_NEAR(same.Divergence(), 0, 1e-12);
    }
  }
}

TEST(LogitReductionsTest, JensenShannonEqualsPlainArithmetic) {
  for (const int64_t count : {5, 160, 4099}) {
    for (const float spread : {0.01f, 0.5f, 30.0f}) {
      const std::vector<float> dense = RandomFloats(count, 2, 4);
      std::vector<float> other = RandomFloats(count, 3, spread);
      for (int64_t i = 0; i < count; ++i) other[i] += dense[i];
      const double dense_sum = reference::LogSumExp(dense), other_sum = reference::LogSumExp(other);
      double expected = 0;
      for (int64_t i = 0; i < count; ++i) {
        const double p = std::exp(dense[i] - dense_sum), q = std::exp(other[i] - other_sum), m = (p + q) / 2;
        expected += (p > 0 ? p * std::log(p / m) : 0) / 2 + (q > 0 ? q * std::log(q / m) : 0) / 2;
      }
      double whole = 0;
      for (int64_t first = 0; first < count; first += 100) {
        whole += JensenShannonPart(dense.data() + first, dense_sum, other.data() + first, other_sum,
                                   std::min<int64_t>(100, count - first));
      }
      EXPECT_NEAR(whole, expected, 1e-8 + 1e-4 * expected) << count << " ids, spread " << spread;
      EXPECT_EQ(JensenShannonPart(dense.data(), dense_sum, dense.data(), dense_sum, count), 0);
    }
  }
}

TEST(LogitReductionsTest, JensenShannonOfDisjointRowsIsLogTwo) {
  const std::vector<float> a = {0, -3e4f}, b = {-3e4f, 0};
  EXPECT_NEAR(JensenShannonPart(a.data(), 0, b.data(), 0, 2), std::log(2.0), 1e-6);
}

}  // namespace
}  // namespace tersor
