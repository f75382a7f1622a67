#include "core/evaluate/window_scorer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/evaluate/perplexity.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/evaluate/fake_scoring.h"

namespace tersor {
namespace {

std::vector<int32_t> Ids(int count) {
  std::vector<int32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 100);
  return ids;
}

ScoredWindows Cut(const Protocol& protocol, int tokens) {
  return CutWindows(protocol, Ids(tokens), 10).value_or(ScoredWindows());
}

struct Row {
  float hidden;
  int32_t target;
  bool operator==(const Row&) const = default;
};

std::vector<Row> Score(const ScoredWindows& windows, const GroupLimits& limits, const FakeModel& model = {}) {
  std::vector<Row> rows;
  const absl::Status status = ScoreWindows(
      model.Scoring(), windows, {},
      [&](const ScoredGroup& group) {
        EXPECT_EQ(group.first_row, rows.size());
        EXPECT_EQ(group.windows.data(), windows.windows.data() + group.first_window);
        for (size_t i = 0; i < group.targets.size(); ++i) {
          rows.push_back({group.hidden[i * FakeHead::kWidth], group.targets[i]});
        }
        return absl::OkStatus();
      },
      limits);
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

// Every target is paired with the hidden state of the token before it, at its place in its window.
TEST(ScoreWindowsTest, RowsBelongToTheTokenBeforeTheTarget) {
  const std::vector<Row> rows = Score(Cut({.window = 4, .stride = 4}, 9), {});
  EXPECT_THAT(rows, ::testing::ElementsAre(Row{100000, 101}, Row{101001, 102}, Row{102002, 103}, Row{104000, 105},
                                           Row{105001, 106}, Row{106002, 107}));
}

TEST(ScoreWindowsTest, BosMovesPositionsByOne) {
  const std::vector<Row> rows = Score(Cut({.window = 4, .stride = 4, .bos_id = 7}, 4), {});
  EXPECT_THAT(rows, ::testing::ElementsAre(Row{100001, 101}, Row{101002, 102}, Row{102003, 103}));
}

TEST(ScoreWindowsTest, WordsPredictTheFirstTokenFromBos) {
  const std::vector<Row> rows =
      Score(Cut({.convention = PerplexityConvention::kWords, .window = 3, .stride = 3, .bos_id = 7}, 5), {});
  EXPECT_THAT(rows, ::testing::ElementsAre(Row{7000, 100}, Row{100001, 101}, Row{101002, 102}, Row{102000, 103},
                                           Row{103001, 104}));
}

TEST(ScoreWindowsTest, LlamaCppReplacesTheFirstToken) {
  const Protocol protocol = {.convention = PerplexityConvention::kLlamaCpp, .window = 6, .stride = 6, .bos_id = 7};
  // The stream is 7, 100, 101, ...: the second chunk holds 105 .. 110, its 105 gives way to BOS.
  const std::vector<Row> rows = Score(Cut(protocol, 11), {});
  EXPECT_THAT(rows, ::testing::ElementsAre(Row{102003, 103}, Row{103004, 104}, Row{108003, 109}, Row{109004, 110}));
}

TEST(ScoreWindowsTest, GroupsBoundMemoryAndChangeNothing) {
  const ScoredWindows windows = Cut({.window = 10, .stride = 4}, 203);
  const std::vector<Row> whole = Score(windows, {});
  for (const int64_t tokens : {1, 9, 10, 27, 40}) {
    const FakeModel model;
    EXPECT_EQ(Score(windows, {.tokens = tokens}, model), whole);
    EXPECT_LE(*model.largest, std::max<int64_t>(tokens, 9));
  }
  const FakeModel model;
  EXPECT_EQ(Score(windows, {.hidden_bytes = 18 * FakeHead::kWidth * 4}, model), whole);
  EXPECT_EQ(*model.largest, 18);
}

TEST(ScoreWindowsTest, ProgressRisesToAllTokens) {
  std::vector<int64_t> done;
  EvaluateContext context;
  context.progress = [&](int64_t tokens, int64_t total) {
    EXPECT_EQ(total, 40);
    done.push_back(tokens);
  };
  ASSERT_TRUE(ScoreWindows(FakeModel().Scoring(), Cut({.window = 10, .stride = 10}, 45), context,
                           [](const ScoredGroup&) { return absl::OkStatus(); }, {.tokens = 20})
                  .ok());
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), 40);
}

TEST(ScoreWindowsTest, CancellationAndErrorsEndThePass) {
  CancellationToken token;
  const ScoredWindows windows = Cut({.window = 10, .stride = 10}, 45);
  int groups = 0;
  const absl::Status cancelled = ScoreWindows(FakeModel().Scoring(), windows, {.cancellation = &token},
                                              [&](const ScoredGroup&) {
                                                ++groups;
                                                token.Cancel();
                                                return absl::OkStatus();
                                              },
                                              {.tokens = 10});
  EXPECT_EQ(cancelled.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(groups, 1);
  const auto failing = [](const ScoredGroup&) { return absl::ResourceExhaustedError("disk full"); };
  EXPECT_EQ(ScoreWindows(FakeModel().Scoring(), windows, {}, failing).code(), absl::StatusCode::kResourceExhausted);
}

TEST(MeasurePerplexityTest, SumsWindowsAndDividesByTokens) {
  Protocol protocol = {.dataset = "toy", .window = 4, .stride = 4};
  const absl::StatusOr<v1::PerplexityResult> result =
      MeasurePerplexity("dense", FakeModel().Scoring(), protocol, Cut(protocol, 9), {});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->windows_size(), 2);
  // (100000 + 101 + 101001 + 102 + 102002 + 103) / 1000.
  EXPECT_NEAR(result->windows(0).nll_sum(), 303.309, 1e-9);
  EXPECT_EQ(result->windows(1).start(), 4);
  EXPECT_EQ(result->windows(1).n(), 3);
  EXPECT_EQ(result->count(), 6);
  EXPECT_NEAR(result->value(), std::exp(result->nll_sum() / 6), 1e-9 * result->value());
  EXPECT_EQ(result->hash(), protocol.Hash());
  EXPECT_EQ(result->subject(), "dense");
}

TEST(MeasurePerplexityTest, WordsDivideByWords) {
  const Protocol protocol = {.convention = PerplexityConvention::kWords, .window = 4, .stride = 4, .bos_id = 1};
  const absl::StatusOr<v1::PerplexityResult> result =
      MeasurePerplexity("dense", FakeModel().Scoring(), protocol, Cut(protocol, 9), {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->count(), 10);
  EXPECT_NEAR(result->value(), std::exp(result->nll_sum() / 10), 1e-9 * result->value());
}

}  // namespace
}  // namespace tersor
