#include "core/evaluate/text_overlap.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

using Tokens = std::vector<int32_t>;

TextOverlap Measure(const std::vector<Tokens>& calibration, const std::vector<Tokens>& evaluated, int length) {
  const std::vector<std::span<const int32_t>> a(calibration.begin(), calibration.end());
  const std::vector<std::span<const int32_t>> b(evaluated.begin(), evaluated.end());
  return MeasureTextOverlap(a, b, length);
}

TEST(TextOverlapTest, CountsRunsThatCalibrationHas) {
  const TextOverlap overlap = Measure({{1, 2, 3, 4, 5}, {9, 9}}, {{7, 7, 7}, {0, 2, 3, 4, 5, 1, 2, 3}}, 3);
  EXPECT_EQ(overlap.runs, 1 + 6);
  // 2 3 4, 3 4 5 and 1 2 3.
  EXPECT_EQ(overlap.shared, 3);
  EXPECT_EQ(overlap.first_sequence, 1);
  EXPECT_EQ(overlap.first_token, 1);
  EXPECT_DOUBLE_EQ(overlap.share(), 3.0 / 7);
}

TEST(TextOverlapTest, RunsDoNotReachOverSequences) {
  EXPECT_EQ(Measure({{1, 2}, {3, 4}}, {{1, 2, 3, 4}}, 4).shared, 0);
  EXPECT_EQ(Measure({{1, 2, 3, 4}}, {{1, 2}, {3, 4}}, 4).runs, 0);
}

TEST(TextOverlapTest, NothingIsNotShared) {
  const TextOverlap overlap = Measure({}, {}, 13);
  EXPECT_EQ(overlap.share(), 0);
  EXPECT_EQ(overlap.first_sequence, -1);
  EXPECT_EQ(Measure({{1}}, {{1}}, 0).runs, 0);
}

}  // namespace
}  // namespace tersor
