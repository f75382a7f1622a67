#include "core/evaluate/window_pairs.h"

#include "core/evaluate/dense_baseline.h"
#include "gtest/gtest.h"
#include "tests/core/model/synthetic_model.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

const Protocol kProtocol = {.window = 16, .stride = 16};

class WindowPairsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    windows_ = CutWindows(kProtocol, RandomIds(dense_.spec, 100, 5), 20).value_or(ScoredWindows());
    dense_scoring_ = PrepareScoring(dense_, {}).value_or(ScoringModel());
    other_scoring_ = PrepareScoring(other_, {}).value_or(ScoringModel());
  }
  std::vector<PairedWindow> Score(const ScoredWindows& windows, bool divergence) {
    std::vector<PairedWindow> pairs;
    const auto seconds = ScorePairs(dense_scoring_, other_scoring_, divergence, windows, {},
                                    [&](size_t first, std::vector<PairedWindow> scored) {
                                      EXPECT_EQ(first, pairs.size());
                                      pairs.insert(pairs.end(), scored.begin(), scored.end());
                                      return absl::OkStatus();
                                    });
    EXPECT_TRUE(seconds.ok()) << seconds.status();
    return pairs;
  }

  const Model dense_ = SyntheticModel(SmallSpec(), 1), other_ = SyntheticModel(SmallSpec(), 2);
  ScoringModel dense_scoring_, other_scoring_;
  ScoredWindows windows_;
};

// Bit for bit what one pass over the whole text gives.
TEST_F(WindowPairsTest, EqualThePassOverTheWhole) {
  const testing::ScratchFolder cache;
  const auto baseline = MeasureBaseline([&] { return dense_scoring_; }, dense_.spec.width, windows_, BaselineKey{},
                                        cache.path(), true, {});
  ASSERT_TRUE(baseline.ok()) << baseline.status();
  const auto whole = ScoreBesideBaseline(other_scoring_, *dense_scoring_.head, *baseline, windows_, {});
  ASSERT_TRUE(whole.ok()) << whole.status();
  const std::vector<PairedWindow> expected =
      CutPairs(windows_.windows, baseline->block_nlls, whole->block_nlls, whole->tokens);
  const std::vector<PairedWindow> pairs = Score(windows_, true);
  ASSERT_EQ(pairs.size(), windows_.windows.size());
  ASSERT_GT(pairs.size(), 3);
  for (size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(pairs[i].dense_nlls, expected[i].dense_nlls);
    EXPECT_EQ(pairs[i].nlls, expected[i].nlls);
    EXPECT_EQ(pairs[i].tokens.kl, expected[i].tokens.kl);
    EXPECT_EQ(pairs[i].tokens.jensen_shannon, expected[i].tokens.jensen_shannon);
    EXPECT_EQ(pairs[i].tokens.same_top1, expected[i].tokens.same_top1);
  }
}

TEST_F(WindowPairsTest, SomeWindowsAreScoredAsAmongAll) {
  const std::vector<PairedWindow> all = Score(windows_, false);
  ScoredWindows some;
  some.stream = windows_.stream;
  some.windows = {windows_.windows[1], windows_.windows[4]};
  const std::vector<PairedWindow> pairs = Score(some, false);
  ASSERT_EQ(pairs.size(), 2);
  EXPECT_EQ(pairs[0].nlls, all[1].nlls);
  EXPECT_EQ(pairs[1].dense_nlls, all[4].dense_nlls);
  EXPECT_TRUE(pairs[0].tokens.kl.empty());
}

TEST_F(WindowPairsTest, WhatKeepingSaysEndsIt) {
  const auto scored = ScorePairs(dense_scoring_, other_scoring_, false, windows_, {},
                                 [](size_t, std::vector<PairedWindow>) { return absl::DataLossError("full"); });
  EXPECT_EQ(scored.status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace tersor
