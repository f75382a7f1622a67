// Perplexity and divergence of small real models against plain double arithmetic over whole logits.
#include <algorithm>
#include <cmath>
#include <ostream>

#include "core/evaluate/divergence.h"
#include "core/evaluate/perplexity.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/synthetic_model.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {

// What GoogleTest calls a case's parameter.
void PrintTo(const Protocol& protocol, std::ostream* out) { *out << protocol.Words(); }

namespace {

ScoringModel Prepared(const Model& model, int threads = 1) {
  absl::StatusOr<ScoringModel> prepared = PrepareScoring(model, {.threads = threads});
  EXPECT_TRUE(prepared.ok()) << prepared.status();
  return std::move(prepared).value_or(ScoringModel());
}

// log softmax of each scored position of one window, run alone: [scored, vocabulary].
std::vector<std::vector<double>> PlainLogProbabilities(const ScoringModel& model, int64_t vocabulary,
                                                       const ScoredWindows& windows, const ScoredWindow& window) {
  std::vector<int32_t> ids;
  if (window.prefix >= 0) ids.push_back(window.prefix);
  const int64_t shift = window.prefix >= 0 ? 1 : 0;
  ids.insert(ids.end(), windows.stream.begin() + window.begin, windows.stream.begin() + window.score_end);
  const std::vector<int64_t> offsets = {0, static_cast<int64_t>(ids.size())};
  const std::vector<float> hidden =
      model.hidden_states(ids, offsets, {}, nullptr, nullptr).value_or(std::vector<float>());
  std::vector<float> logits(ids.size() * vocabulary);
  EXPECT_TRUE(model.head->Logits(hidden, offsets[1], std::span<float>(logits)).ok());
  std::vector<std::vector<double>> rows;
  for (int64_t target = window.score_begin; target < window.score_end; ++target) {
    const float* row = logits.data() + (shift + target - 1 - window.begin) * vocabulary;
    const double largest = *std::max_element(row, row + vocabulary);
    double sum = 0;
    for (int64_t i = 0; i < vocabulary; ++i) sum += std::exp(row[i] - largest);
    std::vector<double> probabilities(vocabulary);
    for (int64_t i = 0; i < vocabulary; ++i) probabilities[i] = row[i] - largest - std::log(sum);
    rows.push_back(std::move(probabilities));
  }
  return rows;
}

// In nats, from the logarithms of two distributions.
double JensenShannon(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double middle = std::log((std::exp(p[i]) + std::exp(q[i])) / 2);
    sum += std::exp(p[i]) * (p[i] - middle) / 2 + std::exp(q[i]) * (q[i] - middle) / 2;
  }
  return sum;
}

ScoredWindows Cut(const Protocol& protocol, const Model& model) {
  return CutWindows(protocol, RandomIds(model.spec, 75, 5), 20).value_or(ScoredWindows());
}

class RealModelTest : public ::testing::TestWithParam<Protocol> {};

TEST_P(RealModelTest, PerplexityEqualsPlainArithmetic) {
  const Model model = SyntheticModel(SmallSpec(), 1);
  const ScoringModel scoring = Prepared(model);
  const ScoredWindows windows = Cut(GetParam(), model);
  const absl::StatusOr<v1::PerplexityResult> result = MeasurePerplexity("dense", scoring, GetParam(), windows, {});
  ASSERT_TRUE(result.ok()) << result.status();
  double total = 0;
  for (size_t w = 0; w < windows.windows.size(); ++w) {
    const auto rows = PlainLogProbabilities(scoring, model.spec.vocabulary, windows, windows.windows[w]);
    double nll = 0;
    for (size_t i = 0; i < rows.size(); ++i) nll -= rows[i][windows.stream[windows.windows[w].score_begin + i]];
    EXPECT_NEAR(result->windows(w).nll_sum(), nll, 1e-5 * nll);
    total += nll;
  }
  EXPECT_NEAR(result->value(), std::exp(total / windows.divisor), 1e-5 * result->value());
}

TEST_P(RealModelTest, ThreadsChangeNoBit) {
  const Model model = SyntheticModel(SmallSpec(), 1);
  const ScoredWindows windows = Cut(GetParam(), model);
  const auto one = MeasurePerplexity("dense", Prepared(model, 1), GetParam(), windows, {});
  const auto two = MeasurePerplexity("dense", Prepared(model, 2), GetParam(), windows, {});
  ASSERT_TRUE(one.ok() && two.ok());
  for (int w = 0; w < one->windows_size(); ++w) EXPECT_EQ(one->windows(w).nll_sum(), two->windows(w).nll_sum());
}

TEST_P(RealModelTest, DivergenceEqualsPlainArithmetic) {
  const Model dense = SyntheticModel(SmallSpec(), 1), other = SyntheticModel(SmallSpec(), 2);
  const ScoringModel dense_scoring = Prepared(dense), other_scoring = Prepared(other);
  const ScoredWindows windows = Cut(GetParam(), dense);
  const testing::ScratchFolder cache;
  const absl::StatusOr<DenseBaseline> baseline =
      MeasureBaseline([&] { return dense_scoring; }, dense.spec.width, windows, BaselineKey{}, cache.path(), true, {});
  ASSERT_TRUE(baseline.ok()) << baseline.status();
  const absl::StatusOr<Comparison> comparison =
      CompareWithBaseline(other_scoring, *dense_scoring.head, *baseline, GetParam(), windows, 0.95, {});
  ASSERT_TRUE(comparison.ok()) << comparison.status();

  std::vector<double> kl;
  double loyalty = 0;
  int64_t same = 0;
  for (const ScoredWindow& window : windows.windows) {
    const auto p = PlainLogProbabilities(dense_scoring, dense.spec.vocabulary, windows, window);
    const auto q = PlainLogProbabilities(other_scoring, dense.spec.vocabulary, windows, window);
    for (size_t row = 0; row < p.size(); ++row) {
      double sum = 0;
      for (size_t i = 0; i < p[row].size(); ++i) sum += std::exp(p[row][i]) * (p[row][i] - q[row][i]);
      kl.push_back(sum);
      loyalty += 1 - std::sqrt(JensenShannon(p[row], q[row]));
      same += std::max_element(p[row].begin(), p[row].end()) - p[row].begin() ==
              std::max_element(q[row].begin(), q[row].end()) - q[row].begin();
    }
  }
  const v1::DivergenceResult& divergence = comparison->divergence;
  ASSERT_EQ(divergence.tokens(), kl.size());
  double mean = 0;
  for (double value : kl) mean += value / kl.size();
  EXPECT_NEAR(divergence.kl_mean(), mean, 1e-5 * mean);
  std::sort(kl.begin(), kl.end());
  EXPECT_NEAR(divergence.kl_max(), kl.back(), 1e-4 * kl.back());
  EXPECT_NEAR(divergence.kl_p50(), kl[(kl.size() + 1) / 2 - 1], 1e-4 * kl.back());
  EXPECT_DOUBLE_EQ(divergence.top1_agreement(), static_cast<double>(same) / kl.size());
  EXPECT_NEAR(divergence.probability_loyalty(), loyalty / kl.size(), 1e-5);

  const auto alone = MeasurePerplexity("compressed", other_scoring, GetParam(), windows, {});
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(comparison->perplexity.nll_sum(), alone->nll_sum());
}

TEST_P(RealModelTest, AModelDoesNotDivergeFromItself) {
  const Model model = SyntheticModel(SmallSpec(), 1);
  const ScoringModel scoring = Prepared(model);
  const ScoredWindows windows = Cut(GetParam(), model);
  const testing::ScratchFolder cache;
  const auto baseline =
      MeasureBaseline([&] { return scoring; }, model.spec.width, windows, BaselineKey{}, cache.path(), true, {});
  ASSERT_TRUE(baseline.ok()) << baseline.status();
  const auto comparison = CompareWithBaseline(scoring, *scoring.head, *baseline, GetParam(), windows, 0.95, {});
  ASSERT_TRUE(comparison.ok()) << comparison.status();
  EXPECT_LT(comparison->divergence.kl_max(), 1e-9);
  EXPECT_EQ(comparison->divergence.top1_agreement(), 1);
  EXPECT_NEAR(comparison->divergence.probability_loyalty(), 1, 1e-4);
}

std::string CaseName(const ::testing::TestParamInfo<Protocol>& info) {
  constexpr const char* kNames[] = {"Windows", "Strided", "LlamaCpp", "Words"};
  return kNames[info.index];
}

INSTANTIATE_TEST_SUITE_P(
    Conventions, RealModelTest,
    ::testing::Values(Protocol{.window = 16, .stride = 16}, Protocol{.window = 17, .stride = 5, .bos_id = 1},
                      Protocol{.convention = PerplexityConvention::kLlamaCpp, .window = 18, .stride = 18, .bos_id = 1},
                      Protocol{.convention = PerplexityConvention::kWords, .window = 16, .stride = 16, .bos_id = 1}),
    CaseName);

TEST(SummarizeDivergenceTest, NearestRanks) {
  TokenDivergences tokens = {.jensen_shannon = std::vector<double>(200, 0.25),
                             .same_top1 = std::vector<uint8_t>(200, 1)};
  for (int i = 200; i > 0; --i) tokens.kl.push_back(i);
  tokens.same_top1[3] = 0;
  tokens.jensen_shannon[7] = 0;
  // What rounding leaves of two equal distributions.
  tokens.jensen_shannon[8] = -1e-17;
  const std::vector<int64_t> blocks = {200};
  const v1::DivergenceResult result = SummarizeDivergence({}, tokens, blocks, 0.95);
  EXPECT_EQ(result.tokens(), 200);
  EXPECT_DOUBLE_EQ(result.kl_mean(), 100.5);
  EXPECT_EQ(result.kl_p50(), 100);
  EXPECT_EQ(result.kl_p99(), 198);
  EXPECT_EQ(result.kl_max(), 200);
  EXPECT_DOUBLE_EQ(result.top1_agreement(), 0.995);
  EXPECT_DOUBLE_EQ(result.probability_loyalty(), (198 * 0.5 + 2) / 200);
  // One block says nothing of how blocks differ.
  EXPECT_EQ(result.blocks(), 0);
  EXPECT_FALSE(result.has_kl_mean_standard_error());
  EXPECT_FALSE(result.has_kl_mean_interval());
}

// Blocks that are independent tokens: the mean's interval is Student's, a percentile's is that of its rank.
TEST(SummarizeDivergenceTest, IntervalsComeFromBlocks) {
  TokenDivergences divergences = {.jensen_shannon = std::vector<double>(1000, 0.25),
                                  .same_top1 = std::vector<uint8_t>(1000, 1)};
  divergences.jensen_shannon[0] = 0;
  for (int i = 0; i < 1000; ++i) divergences.kl.push_back((i * 389 % 1000 + 0.5) / 1000);
  const std::vector<int64_t> tokens(1000, 1);
  const v1::DivergenceResult result = SummarizeDivergence({}, divergences, tokens, 0.95);
  EXPECT_EQ(result.blocks(), 1000);
  EXPECT_NEAR(result.kl_mean_interval().low(), 0.5 - 1.9623 * 0.28882 / std::sqrt(1000), 1e-4);
  EXPECT_NEAR(result.kl_mean_interval().high(), 0.5 + 1.9623 * 0.28882 / std::sqrt(1000), 1e-4);
  EXPECT_NEAR(result.kl_p50_interval().low(), 0.5 - 1.9623 * 0.5 / std::sqrt(1000), 2e-3);
  EXPECT_NEAR(result.kl_p50_interval().high(), 0.5 + 1.9623 * 0.5 / std::sqrt(1000), 2e-3);
  EXPECT_NEAR(result.kl_p99_interval().high(), 0.99 + 1.9623 * 0.0995 / std::sqrt(1000), 2e-3);
  EXPECT_DOUBLE_EQ(result.kl_p99_interval().confidence(), 0.95);
  // All agree: Wilson's, not a certainty.
  EXPECT_NEAR(result.top1_agreement_interval().low(), 0.9962, 1e-4);
  EXPECT_EQ(result.top1_agreement_interval().high(), 1);
  EXPECT_NEAR(result.kl_mean_standard_error(), 0.28882 / std::sqrt(1000), 1e-6);
  EXPECT_FALSE(result.has_top1_agreement_standard_error());
  // One value of 1 among 999 of 0.5.
  EXPECT_NEAR(result.probability_loyalty_standard_error(), 0.5 / 1000, 1e-6);
}

TEST(SummarizeDivergenceTest, FewTokensDoNotBoundTheirLastPercentile) {
  const TokenDivergences divergences = {
      .kl = {0.1, 0.2, 0.3, 0.4}, .jensen_shannon = {0, 0, 0, 0}, .same_top1 = {1, 1, 0, 1}};
  const std::vector<int64_t> tokens = {2, 2};
  const v1::DivergenceResult result = SummarizeDivergence({}, divergences, tokens, 0.95);
  EXPECT_TRUE(std::isinf(result.kl_p99_interval().high()));
  // Shares of 1 and 0.5 in two blocks.
  EXPECT_NEAR(result.top1_agreement_standard_error(), 0.25, 1e-12);
}

TEST(SummarizeDivergenceTest, OneTokenIsEveryPercentile) {
  const v1::DivergenceResult result =
      SummarizeDivergence({}, {.kl = {0.25}, .same_top1 = {1}}, std::vector<int64_t>{1}, 0.95);
  EXPECT_EQ(result.kl_p50(), 0.25);
  EXPECT_EQ(result.kl_p99(), 0.25);
}

TEST(CompareWithBaselineTest, BaselineOfOtherTokensIsRefused) {
  const Model model = SyntheticModel(SmallSpec(), 1);
  const ScoringModel scoring = Prepared(model);
  const ScoredWindows windows = Cut({.window = 16, .stride = 16}, model);
  EXPECT_EQ(CompareWithBaseline(scoring, *scoring.head, DenseBaseline(), {}, windows, 0.95, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
