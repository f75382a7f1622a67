#include "core/evaluate/tasks/metric_registry.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

TaskItem Item(std::vector<std::string> choices, std::vector<int> gold) {
  TaskItem item;
  item.choices = std::move(choices);
  item.gold = std::move(gold);
  return item;
}

double Score(const char* metric, const TaskItem& item, const ItemAnswer& answer) {
  return FindTaskMetric(metric)->measure(item, answer)[0];
}

TEST(MetricRegistryTest, AccuracyNormalisesByCharactersOrBytes) {
  // Three characters, six bytes.
  const TaskItem item = Item({"\xC3\xA9\xC3\xA9\xC3\xA9", "abcd"}, {0});
  const ItemAnswer answer = {.log_likelihoods = {-6.0, -5.0}};
  EXPECT_EQ(Score("acc", item, answer), 0);
  EXPECT_EQ(Score("acc_norm", item, answer), 0);   // -2 against -1.25
  EXPECT_EQ(Score("acc_bytes", item, answer), 1);  // -1 against -1.25
}

TEST(MetricRegistryTest, OfEqualLikelihoodsTheFirstCounts) {
  EXPECT_EQ(Score("acc", Item({"a", "b"}, {0}), {.log_likelihoods = {-1, -1}}), 1);
  EXPECT_EQ(Score("acc", Item({"a", "b"}, {1}), {.log_likelihoods = {-1, -1}}), 0);
}

TEST(MetricRegistryTest, MassOnTheTrueAnswers) {
  EXPECT_NEAR(Score("mc2", Item({"a", "b", "c"}, {0, 2}),
                    {.log_likelihoods = {-1000 + std::log(0.2), -1000 + std::log(0.5), -1000 + std::log(0.3)}}),
              0.5, 1e-9);
}

TEST(MetricRegistryTest, ClozeCountsGreedyTargets) {
  EXPECT_EQ(Score("acc", {}, {.log_likelihoods = {-2}, .greedy = {true}}), 1);
  EXPECT_EQ(Score("perplexity", {}, {.log_likelihoods = {-2}, .greedy = {true}}), 2);
}

TEST(MetricRegistryTest, Ranks) {
  for (const auto& [rank, first, ten] : {std::tuple(1, 1, 1), std::tuple(10, 0, 1), std::tuple(11, 0, 0)}) {
    const ItemAnswer answer = {.rank = rank};
    EXPECT_EQ(Score("p@1", {}, answer), first);
    EXPECT_EQ(Score("p@10", {}, answer), ten);
    EXPECT_DOUBLE_EQ(Score("mrr", {}, answer), 1.0 / rank);
  }
}

TEST(MetricRegistryTest, TheExpectedNumberIsTheMeanUnderTheProbabilities) {
  TaskItem item = Item({"0", "1", "5"}, {2});
  item.target = "3.8";
  const ItemStatistics pair =
      FindTaskMetric("pearson")->measure(item, {.log_likelihoods = {std::log(0.5), std::log(0.25), std::log(0.25)}});
  EXPECT_NEAR(pair[0], 1.5, 1e-12);
  EXPECT_EQ(pair[1], 3.8);
}

TEST(MetricRegistryTest, AnswersWithoutAnswer) {
  TaskItem item;
  EXPECT_EQ(Score("exact_match", item, {.extracted = ""}), 1);
  EXPECT_EQ(Score("exact_match", item, {.extracted = "Rome"}), 0);
  item.answers = {"the Rome"};
  EXPECT_EQ(Score("exact_match", item, {.extracted = "rome!"}), 1);
  item.answers = {"1,000"};
  EXPECT_EQ(Score("number_match", item, {.extracted = "$1000."}), 1);
  EXPECT_EQ(Score("last_number_match", item, {.output = "so 2 and 1000"}), 1);
}

// The largest of what is no number would be the first choice, and as good as a right answer.
TEST(MetricRegistryTest, WhatIsNoNumberScoresNothing) {
  TaskItem item;
  item.choices = {"yes", "no"};
  item.continuations = {" yes", " no"};
  item.gold = {0};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::string& name : TaskMetricNames(v1::TASK_SCORER_CHOICES)) {
    v1::TaskResult::Item result;
    AddScores(*FindTaskMetric(name), item, {.log_likelihoods = {nan, nan}, .greedy = {false, false}}, result);
    ASSERT_FALSE(result.scores().empty());
    for (const auto& [key, value] : result.scores()) EXPECT_TRUE(std::isnan(value)) << key;
    const std::vector<const v1::TaskResult::Item*> items = {&result, &result};
    EXPECT_TRUE(std::isnan(SummarizeMetric(*FindTaskMetric(name), items).value()));
  }
}

std::vector<v1::TaskResult::Item> ItemsWith(const char* key, const std::vector<double>& values) {
  std::vector<v1::TaskResult::Item> items;
  for (const double value : values) (*items.emplace_back().mutable_scores())[key] = value;
  return items;
}

TEST(MetricRegistryTest, MeansHaveTheSamplesStandardError) {
  const std::vector<v1::TaskResult::Item> items = ItemsWith("acc", {1, 0, 1, 1});
  std::vector<const v1::TaskResult::Item*> pointers;
  for (const auto& item : items) pointers.push_back(&item);
  const v1::TaskResult::Metric metric = SummarizeMetric(*FindTaskMetric("acc"), pointers);
  EXPECT_DOUBLE_EQ(metric.value(), 0.75);
  EXPECT_DOUBLE_EQ(metric.standard_error(), 0.25);  // sqrt(0.25 / 4)
  EXPECT_FALSE(SummarizeMetric(*FindTaskMetric("acc"), std::span(pointers).first(1)).has_standard_error());
}

TEST(MetricRegistryTest, OthersHaveTheBootstraps) {
  std::vector<double> nll;
  for (int i = 0; i < 400; ++i) nll.push_back(1 + 0.5 * std::sin(i * 0.7));
  const std::vector<v1::TaskResult::Item> items = ItemsWith("perplexity.nll", nll);
  std::vector<const v1::TaskResult::Item*> pointers;
  for (const auto& item : items) pointers.push_back(&item);
  const v1::TaskResult::Metric metric = SummarizeMetric(*FindTaskMetric("perplexity"), pointers);
  // exp(mean) with the delta method's error: exp(mean) * deviation / sqrt(n), the sine's deviation being 1 / sqrt(2).
  EXPECT_NEAR(metric.value(), std::exp(1), 0.01);
  EXPECT_NEAR(metric.standard_error(), std::exp(1) * 0.5 / std::sqrt(2.0) / 20, 0.004);
  EXPECT_FALSE(metric.higher_is_better());
}

TEST(MetricRegistryTest, EveryMetricServesAScorer) {
  for (const TaskMetric& metric : TaskMetricTable()) {
    EXPECT_FALSE(metric.scorers.empty()) << metric.name;
    EXPECT_EQ(metric.is_mean(), metric.value == nullptr) << metric.name;
  }
}

}  // namespace
}  // namespace tersor
