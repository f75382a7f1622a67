// Metrics against the answers of scikit-learn, SciPy, rouge-score and SQuAD's scripts:
// tests/tools/record_task_metrics.py.
#include <vector>

#include "core/base/atomic_file.h"
#include "core/evaluate/metrics/answer_text.h"
#include "core/evaluate/metrics/correlation.h"
#include "core/evaluate/metrics/rouge.h"
#include "core/formats/json_text.h"
#include "gtest/gtest.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using nlohmann::json;

json Recorded(const char* part) {
  const auto text = ReadFile(testing::FixturesPath() / "task_metrics.json");
  EXPECT_TRUE(text.ok()) << text.status();
  return json::parse(*text)[part];
}

std::vector<double> Numbers(const json& list) { return list.get<std::vector<double>>(); }

TEST(RecordedMetricsTest, Classifications) {
  const json cases = Recorded("classifications");
  ASSERT_GE(cases.size(), 10);
  for (const json& one : cases) {
    const std::vector<double> prediction = Numbers(one["prediction"]), gold = Numbers(one["gold"]);
    EXPECT_NEAR(MatthewsCorrelation(prediction, gold), one["matthews"].get<double>(), 1e-12) << one;
    EXPECT_NEAR(ClassF1(prediction, gold, 1), one["f1"].get<double>(), 1e-12) << one;
    EXPECT_NEAR(MacroF1(prediction, gold), one["macro"].get<double>(), 1e-12) << one;
  }
}

TEST(RecordedMetricsTest, Correlations) {
  for (const json& one : Recorded("correlations")) {
    const std::vector<double> x = Numbers(one["x"]), y = Numbers(one["y"]);
    EXPECT_NEAR(PearsonCorrelation(x, y), one["pearson"].get<double>(), 1e-10);
    EXPECT_NEAR(SpearmanCorrelation(x, y), one["spearman"].get<double>(), 1e-10);
  }
  const std::vector<double> flat = {1, 1, 1}, rising = {1, 2, 3};
  EXPECT_EQ(PearsonCorrelation(flat, rising), 0);
}

TEST(RecordedMetricsTest, Answers) {
  for (const json& one : Recorded("answers")) {
    const auto prediction = one["prediction"].get<std::string>();
    const auto answers = one["answers"].get<std::vector<std::string>>();
    EXPECT_EQ(NormalizeAnswer(prediction), one["normal"].get<std::string>());
    EXPECT_EQ(ExactMatch(prediction, answers), one["exact"].get<double>()) << one;
    EXPECT_NEAR(TokenF1(prediction, answers), one["f1"].get<double>(), 1e-12) << one;
  }
}

TEST(RecordedMetricsTest, Rouge) {
  for (const json& one : Recorded("rouge")) {
    const auto prediction = one["prediction"].get<std::string>(), target = one["target"].get<std::string>();
    EXPECT_NEAR(RougeN(prediction, target, 1), one["rouge1"].get<double>(), 1e-12) << one;
    EXPECT_NEAR(RougeN(prediction, target, 2), one["rouge2"].get<double>(), 1e-12) << one;
    EXPECT_NEAR(RougeL(prediction, target), one["rougeL"].get<double>(), 1e-12) << one;
  }
}

}  // namespace
}  // namespace tersor
