// Paired bootstrap of corpus metrics against SciPy's: tests/tools/record_corpus_drops.py.
#include "core/compare/corpus_drop.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/compare/paired_results.h"
#include "core/formats/json_text.h"
#include "gtest/gtest.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using nlohmann::json;

// A result whose items add `values` (and `golds`, unless empty) to `metric`.
v1::TaskResult Result(const std::string& metric, const std::vector<double>& values, const std::vector<double>& golds) {
  v1::TaskResult task;
  task.set_task("task");
  task.set_hash("hash");
  for (size_t i = 0; i < values.size(); ++i) {
    v1::TaskResult::Item& item = *task.add_items();
    item.set_id(absl::StrCat(i));
    (*item.mutable_scores())[golds.empty() ? metric + ".nll" : metric + ".prediction"] = values[i];
    if (!golds.empty()) (*item.mutable_scores())[metric + ".gold"] = golds[i];
  }
  return task;
}

TEST(CorpusDropTest, AnswersAsSciPysPairedBootstrap) {
  const auto text = ReadFile(testing::FixturesPath() / "corpus_drops.json");
  ASSERT_TRUE(text.ok()) << text.status();
  const json recorded = json::parse(*text);
  ASSERT_EQ(recorded["cases"].size(), 10);
  for (const json& one : recorded["cases"]) {
    const auto metric = one["metric"].get<std::string>();
    const auto gold = one["gold"].get<std::vector<double>>();
    const auto drop = CorpusDrop(Result(metric, one["before"], gold), Result(metric, one["after"], gold), metric,
                                 one["higher_is_better"], 0.95);
    ASSERT_TRUE(drop.has_value()) << metric;
    const double error = one["standard_error"];
    EXPECT_NEAR(drop->drop, one["drop"].get<double>(), 1e-9) << metric;
    // A thousand replicates know the deviation to 2.2 %.
    EXPECT_NEAR(drop->standard_error, error, 0.07 * error) << metric;
    // Percentiles lie askew, and right-or-wrong metrics are widened for few flips.
    EXPECT_NEAR(drop->interval.low, one["low"].get<double>(), 0.4 * error) << metric;
    EXPECT_NEAR(drop->interval.high, one["high"].get<double>(), 0.4 * error) << metric;
  }
}

TEST(CorpusDropTest, PairingIsNarrowerThanTwoErrorsApart) {
  std::vector<double> gold, before, after;
  for (int i = 0; i < 200; ++i) {
    gold.push_back(i % 2);
    before.push_back(i % 5 == 0 ? 1 - gold[i] : gold[i]);
    after.push_back(i % 25 == 3 ? 1 - before[i] : before[i]);
  }
  v1::TaskResult old_result = Result("matthews", before, gold), result = Result("matthews", after, gold);
  for (v1::TaskResult* one : {&old_result, &result}) {
    one->add_metrics()->set_name("matthews");
    one->mutable_metrics(0)->set_higher_is_better(true);
    one->mutable_metrics(0)->set_standard_error(0.057);
  }
  const auto paired = CompareTask(old_result, result, "", 0.95);
  ASSERT_TRUE(paired.ok()) << paired.status();
  EXPECT_LT(paired->standard_error(), 0.045);
  EXPECT_FALSE(paired->right_or_wrong());
  // Without what items add, each side's own error is all there is.
  for (v1::TaskResult::Item& item : *result.mutable_items()) item.clear_scores();
  const auto apart = CompareTask(old_result, result, "", 0.95);
  ASSERT_TRUE(apart.ok());
  EXPECT_NEAR(apart->standard_error(), std::hypot(0.057, 0.057), 1e-12);
  EXPECT_LT(paired->interval().high() - paired->interval().low(), apart->interval().high() - apart->interval().low());
}

TEST(CorpusDropTest, ModelsThatAnswerAlikeAreNotKnownToBeAlike) {
  const std::vector<double> gold = {0, 1, 0, 1, 1, 0, 1, 1}, answers = {0, 1, 0, 1, 0, 0, 1, 1};
  const v1::TaskResult same = Result("matthews", answers, gold);
  const auto drop = CorpusDrop(same, same, "matthews", true, 0.95);
  ASSERT_TRUE(drop.has_value());
  EXPECT_EQ(drop->drop, 0);
  EXPECT_EQ(drop->standard_error, 0);
  const double square = 1.959964 * 1.959964;
  EXPECT_NEAR(drop->interval.high, 2 * square / (8 + square), 1e-6);
  EXPECT_EQ(drop->interval.low, -drop->interval.high);
}

TEST(CorpusDropTest, OneItemBoundsNothing) {
  const v1::TaskResult one = Result("matthews", {1}, {1});
  EXPECT_TRUE(std::isinf(CorpusDrop(one, one, "matthews", true, 0.95)->interval.high));
}

TEST(CorpusDropTest, UnknownMetricsAndMissingStatisticsAreNotGuessed) {
  const v1::TaskResult known = Result("matthews", {0, 1}, {0, 1});
  EXPECT_FALSE(CorpusDrop(known, known, "acc", true, 0.95).has_value());
  EXPECT_FALSE(CorpusDrop(known, known, "f1_macro", true, 0.95).has_value());
  EXPECT_FALSE(CorpusDrop(known, Result("matthews", {0}, {0}), "matthews", true, 0.95).has_value());
}

}  // namespace
}  // namespace tersor
