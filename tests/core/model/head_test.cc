#include "core/model/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/kernels/reference.h"
#include "tests/core/kernels/random_floats.h"
#include "tests/core/model/synthetic_model.h"

namespace tersor {
namespace {

class HeadTest : public testing::Test {
 protected:
  std::unique_ptr<Head> Load(const Model& model, int threads) {
    ComputeOptions options;
    options.threads = threads;
    auto head = Head::Load(model, options);
    EXPECT_TRUE(head.ok()) << head.status();
    return *std::move(head);
  }
  std::span<const float> Row(const std::vector<float>& logits, int64_t row) const {
    return std::span(logits).subspan(row * model_.spec.vocabulary, model_.spec.vocabulary);
  }

  Model model_ = SyntheticModel(SmallSpec(), 1);
  // More rows than one group.
  const int64_t rows_ = 1100;
  std::vector<float> hidden_ = RandomFloats(rows_ * model_.spec.width, 2, 3);
};

TEST_F(HeadTest, LogitsMatchTheReference) {
  for (const bool tied : {false, true}) {
    Model model = model_;
    model.spec.tied = tied;
    const int64_t rows = 3, width = model.spec.width, vocabulary = model.spec.vocabulary;
    std::vector<float> logits(rows * vocabulary);
    ASSERT_TRUE(Load(model, 2)->Logits(std::span(hidden_).first(rows * width), rows, logits).ok());
    const std::vector<float> norm = model.parameters.find(kFinalNormName)->second->Decode();
    const std::vector<float> weights = (*model.Head())->Decode();
    for (int64_t row = 0; row < rows; ++row) {
      const auto normed = reference::RmsNorm(std::span(hidden_).subspan(row * width, width), norm, 1e-5);
      const std::vector<float> x(normed.begin(), normed.end());
      const auto expected = reference::MatMul(x, weights, {}, 1, vocabulary, width);
      for (int64_t i = 0; i < vocabulary; ++i) ASSERT_NEAR(logits[row * vocabulary + i], expected[i], 3e-5);
    }
  }
}

TEST_F(HeadTest, LogLikelihoodsAreThoseOfTheLogits) {
  std::vector<float> logits(rows_ * model_.spec.vocabulary);
  ASSERT_TRUE(Load(model_, 1)->Logits(hidden_, rows_, logits).ok());
  const std::vector<int32_t> targets = RandomIds(model_.spec, rows_, 3);
  std::vector<double> first;
  for (const int threads : {1, 2}) {
    std::vector<double> likelihoods(rows_);
    std::vector<int32_t> top1(rows_);
    ASSERT_TRUE(Load(model_, threads)->LogLikelihoods(hidden_, targets, likelihoods, top1).ok());
    for (int64_t row = 0; row < rows_; ++row) {
      const auto values = Row(logits, row);
      ASSERT_NEAR(likelihoods[row], values[targets[row]] - reference::LogSumExp(values), 1e-6);
      ASSERT_EQ(top1[row], std::max_element(values.begin(), values.end()) - values.begin());
    }
    if (first.empty()) first = likelihoods;
    EXPECT_EQ(likelihoods, first);
  }
  // One row alone, and rows in another order: the same bits.
  std::vector<double> alone(1);
  const auto head = Load(model_, 2);
  for (const int64_t row : {0, 5, 1099}) {
    const auto hidden = std::span(hidden_).subspan(row * model_.spec.width, model_.spec.width);
    ASSERT_TRUE(head->LogLikelihoods(hidden, std::span(targets).subspan(row, 1), alone, {}).ok());
    EXPECT_EQ(alone[0], first[row]);
  }
}

TEST_F(HeadTest, DivergenceIsThatOfTheLogits) {
  const Model other_model = SyntheticModel(SmallSpec(), 9);
  std::vector<float> other_hidden = RandomFloats(hidden_.size(), 4, 3);
  const auto dense = Load(model_, 2), other = Load(other_model, 2);
  std::vector<float> dense_logits(rows_ * model_.spec.vocabulary), other_logits(dense_logits.size());
  ASSERT_TRUE(dense->Logits(hidden_, rows_, dense_logits).ok());
  ASSERT_TRUE(other->Logits(other_hidden, rows_, other_logits).ok());
  std::vector<double> kl(rows_);
  std::vector<uint8_t> same(rows_);
  ASSERT_TRUE(Divergence(*dense, hidden_, *other, other_hidden, rows_, kl, same).ok());
  for (int64_t row = 0; row < rows_; ++row) {
    const double expected = reference::Divergence(Row(dense_logits, row), Row(other_logits, row));
    ASSERT_NEAR(kl[row], expected, 1e-5 * (1 + expected));
  }
  std::vector<double> shannon(rows_), kl_again(rows_);
  ASSERT_TRUE(Divergence(*dense, hidden_, *other, other_hidden, rows_, kl_again, same, shannon).ok());
  EXPECT_EQ(kl_again, kl);
  for (int64_t row = 0; row < rows_; ++row) {
    const auto p = Row(dense_logits, row), q = Row(other_logits, row);
    const double p_sum = reference::LogSumExp(p), q_sum = reference::LogSumExp(q);
    double expected = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const double a = std::exp(p[i] - p_sum), b = std::exp(q[i] - q_sum), m = (a + b) / 2;
      expected += (a * std::log(a / m) + b * std::log(b / m)) / 2;
    }
    ASSERT_NEAR(shannon[row], expected, 1e-6);
  }
  ASSERT_TRUE(Divergence(*dense, hidden_, *dense, hidden_, rows_, kl, same, shannon).ok());
  EXPECT_LT(*std::max_element(kl.begin(), kl.end()), 1e-12);
  EXPECT_EQ(*std::max_element(shannon.begin(), shannon.end()), 0);
  EXPECT_EQ(std::count(same.begin(), same.end(), 1), rows_);
}

TEST_F(HeadTest, BadArgumentsAreErrors) {
  const auto head = Load(model_, 1);
  std::vector<double> likelihoods(1);
  const std::span<const float> row = std::span(hidden_).first(model_.spec.width);
  const absl::Status outside = head->LogLikelihoods(row, std::vector<int32_t>{1100}, likelihoods, {});
  EXPECT_EQ(outside.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(outside.message(), testing::HasSubstr("target 1100"));
  std::vector<float> logits(3);
  EXPECT_EQ(head->Logits(row, 1, logits).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(head->Logits(row, 2, logits).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
