#include "core/evaluate/continuation_scorer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/synthetic_model.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

// Questions with a preamble in common, of which some are longer than a page of keys; each with several choices.
std::vector<ContinuationRequest> SomeRequests(const ModelSpec& spec) {
  std::vector<ContinuationRequest> requests;
  const std::vector<int32_t> preamble = RandomIds(spec, 90, 1);
  for (int question = 0; question < 7; ++question) {
    std::vector<int32_t> context;
    if (question % 3 != 0) context = preamble;
    const std::vector<int32_t> own = RandomIds(spec, 1 + 11 * question, 10 + question);
    context.insert(context.end(), own.begin(), own.end());
    for (int choice = 0; choice < 4; ++choice) {
      requests.push_back({context, RandomIds(spec, 1 + (choice + question) % 4, 100 + 10 * question + choice)});
    }
  }
  // A choice that begins another one, the same request twice, and a continuation as long as several pages.
  requests.push_back({requests[5].context, requests[5].continuation});
  requests.push_back({requests[6].context, {requests[6].continuation[0]}});
  requests.push_back({{1}, RandomIds(spec, 150, 7)});
  return requests;
}

ScoringModel Prepared(const Model& model, int threads = 1) {
  absl::StatusOr<ScoringModel> prepared = PrepareScoring(model, {.threads = threads});
  EXPECT_TRUE(prepared.ok()) << prepared.status();
  return std::move(prepared).value_or(ScoringModel());
}

Model LongModel() {
  ModelSpec spec = SmallSpec();
  spec.context_length = 512;
  return SyntheticModel(spec, 1);
}

std::vector<ContinuationScore> Score(const ScoringModel& model, std::span<const ContinuationRequest> requests,
                                     const ContinuationOptions& options = {}) {
  auto scores = ScoreContinuations(model, requests, options, {});
  EXPECT_TRUE(scores.ok()) << scores.status();
  return std::move(scores).value_or(std::vector<ContinuationScore>(requests.size()));
}

void ExpectSameBits(const ContinuationScore& a, const ContinuationScore& b) {
  EXPECT_EQ(a.log_likelihood, b.log_likelihood);
  EXPECT_EQ(a.greedy, b.greedy);
  EXPECT_EQ(a.first_rank, b.first_rank);
  EXPECT_EQ(a.dropped, b.dropped);
}

// One request alone: plain double arithmetic over whole logits.
ContinuationScore PlainScore(const ScoringModel& model, int64_t vocabulary, const ContinuationRequest& request) {
  std::vector<int32_t> ids = request.context;
  ids.insert(ids.end(), request.continuation.begin(), request.continuation.end());
  const auto count = static_cast<int64_t>(ids.size());
  const auto hidden = model.hidden_states(ids, {0, count}, {}, nullptr, nullptr).value_or(std::vector<float>());
  std::vector<float> logits(count * vocabulary);
  EXPECT_TRUE(model.head->Logits(hidden, count, std::span<float>(logits)).ok());
  ContinuationScore score;
  score.greedy = true;
  for (size_t i = 0; i < request.continuation.size(); ++i) {
    const float* row = logits.data() + (request.context.size() + i - 1) * vocabulary;
    const int32_t target = request.continuation[i];
    double sum = 0;
    for (int64_t id = 0; id < vocabulary; ++id) sum += std::exp(static_cast<double>(row[id]));
    score.log_likelihood += row[target] - std::log(sum);
    score.greedy = score.greedy && std::max_element(row, row + vocabulary) - row == target;
    if (i > 0) continue;
    score.first_rank = std::count_if(row, row + vocabulary, [&](float logit) { return logit > row[target]; });
  }
  return score;
}

TEST(ContinuationScorerTest, EqualsPlainArithmeticOfEachRequestAlone) {
  const Model model = LongModel();
  const ScoringModel scoring = Prepared(model);
  std::vector<ContinuationRequest> requests = SomeRequests(model.spec);
  // A greedy one, token by token.
  ContinuationRequest greedy{RandomIds(model.spec, 70, 3), {}};
  for (int i = 0; i < 3; ++i) {
    for (int32_t id = 0; id < model.spec.vocabulary; ++id) {
      greedy.continuation.push_back(id);
      if (PlainScore(scoring, model.spec.vocabulary, greedy).greedy) break;
      greedy.continuation.pop_back();
    }
  }
  ASSERT_EQ(greedy.continuation.size(), 3);
  requests.push_back(greedy);
  const auto scores = Score(scoring, requests, {.rank_first = true});
  for (size_t i = 0; i < requests.size(); ++i) {
    const ContinuationScore plain = PlainScore(scoring, model.spec.vocabulary, requests[i]);
    EXPECT_NEAR(scores[i].log_likelihood, plain.log_likelihood, 1e-5 * -plain.log_likelihood) << i;
    EXPECT_EQ(scores[i].greedy, plain.greedy) << i;
    EXPECT_EQ(scores[i].first_rank, plain.first_rank) << i;
    EXPECT_EQ(scores[i].dropped, 0);
  }
  EXPECT_TRUE(scores.back().greedy);
}

TEST(ContinuationScorerTest, NeitherBatchNorOrderNorThreadsNorCompanyChangeABit) {
  const Model model = LongModel();
  const std::vector<ContinuationRequest> requests = SomeRequests(model.spec);
  std::vector<size_t> shuffled(requests.size());
  std::iota(shuffled.begin(), shuffled.end(), 0);
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(5));
  std::vector<ContinuationRequest> others;
  for (const size_t i : shuffled) others.push_back(requests[i]);
  const auto expected = Score(Prepared(model), requests, {.rank_first = true});
  for (const int threads : {1, 2, 5}) {
    const ScoringModel scoring = Prepared(model, threads);
    for (const int64_t batch : {1, 150, 400, 100000}) {
      const auto scores = Score(scoring, others, {.rank_first = true, .batch_tokens = batch});
      for (size_t i = 0; i < others.size(); ++i) ExpectSameBits(scores[i], expected[shuffled[i]]);
    }
  }
  const ScoringModel scoring = Prepared(model);
  for (size_t i = 0; i < requests.size(); ++i) {
    ExpectSameBits(Score(scoring, {&requests[i], 1}, {.rank_first = true})[0], expected[i]);
  }
}

TEST(ContinuationScorerTest, RanksOnlyWhereAsked) {
  const Model model = LongModel();
  const auto requests = SomeRequests(model.spec);
  for (const ContinuationScore& score : Score(Prepared(model), requests)) EXPECT_EQ(score.first_rank, -1);
}

TEST(ContinuationScorerTest, LongContextsLoseTheirLeft) {
  const Model model = LongModel();
  const ScoringModel scoring = Prepared(model);
  const std::vector<int32_t> ids = RandomIds(model.spec, 30, 2);
  const ContinuationRequest whole{ids, {4, 5, 6}};
  // 20 tokens are read: the last 18 of the context and two of the continuation.
  const ContinuationRequest cut{{ids.begin() + 12, ids.end()}, {4, 5, 6}};
  const auto scores = Score(scoring, {&whole, 1}, {.max_length = 20});
  EXPECT_EQ(scores[0].dropped, 12);
  EXPECT_EQ(scores[0].log_likelihood, Score(scoring, {&cut, 1})[0].log_likelihood);
  EXPECT_EQ(Score(scoring, {&cut, 1}, {.max_length = 20})[0].dropped, 0);

  const ContinuationRequest longer{{1}, RandomIds(model.spec, 21, 2)};
  const absl::Status status = ScoreContinuations(scoring, {&longer, 1}, {.max_length = 20}, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("request 0: its continuation of 21 tokens does not fit"));
}

TEST(ContinuationScorerTest, BadRequestsAreNamed) {
  const Model model = LongModel();
  const ScoringModel scoring = Prepared(model);
  const auto error = [&](ContinuationRequest bad) {
    const std::vector<ContinuationRequest> requests = {{{1}, {2}}, std::move(bad)};
    return ScoreContinuations(scoring, requests, {}, {}).status();
  };
  EXPECT_THAT(error({{}, {1}}).message(), HasSubstr("request 1: the context has no tokens"));
  EXPECT_THAT(error({{1}, {}}).message(), HasSubstr("request 1: the continuation has no tokens"));
  EXPECT_EQ(error({{1}, {-1}}).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(error({{1}, {static_cast<int32_t>(model.spec.vocabulary)}}).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(error({{static_cast<int32_t>(model.spec.vocabulary)}, {1}}).code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(Score(scoring, {}).empty());
}

TEST(ContinuationScorerTest, ScoresAreHandedOnAsBatchesFinish) {
  const Model model = LongModel();
  const ScoringModel scoring = Prepared(model);
  const auto requests = SomeRequests(model.spec);
  std::vector<int> told(requests.size());
  std::vector<ContinuationScore> handed(requests.size());
  ContinuationOptions options{.batch_tokens = 200};
  options.on_score = [&](int64_t index, const ContinuationScore& score) {
    ++told[index];
    handed[index] = score;
    return absl::OkStatus();
  };
  const auto scores = Score(scoring, requests, options);
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(told[i], 1);
    ExpectSameBits(handed[i], scores[i]);
  }
  options.on_score = [](int64_t, const ContinuationScore&) { return absl::ResourceExhaustedError("disk full"); };
  EXPECT_EQ(ScoreContinuations(scoring, requests, options, {}).status().message(), "disk full");
}

TEST(ContinuationScorerTest, CancellationAndProgress) {
  const Model model = LongModel();
  const auto requests = SomeRequests(model.spec);
  CancellationToken token;
  int64_t last = 0;
  EvaluateContext context{.cancellation = &token};
  context.progress = [&](int64_t done, int64_t total) {
    EXPECT_GE(done, last);
    EXPECT_EQ(total, static_cast<int64_t>(requests.size()));
    last = done;
    if (done > 10) token.Cancel();
  };
  const auto scores = ScoreContinuations(Prepared(model), requests, {.batch_tokens = 100}, context);
  EXPECT_EQ(scores.status().code(), absl::StatusCode::kCancelled);
  EXPECT_GT(last, 10);
  EXPECT_LT(last, static_cast<int64_t>(requests.size()));
}

}  // namespace
}  // namespace tersor
