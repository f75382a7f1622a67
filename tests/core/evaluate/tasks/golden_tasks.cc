#include "tests/core/evaluate/tasks/golden_tasks.h"

#include <cmath>
#include <fstream>

#include "core/evaluate/tasks/task_runner.h"
#include "core/model/model.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/core/model/demo_golden.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using nlohmann::json;

// What the metric makes of lm-eval's own numbers.
double GoldenAccuracy(const LoadedTask& task, const std::vector<json>& golden, const char* metric) {
  double sum = 0;
  for (size_t i = 0; i < golden.size(); ++i) {
    ItemAnswer answer;
    answer.log_likelihoods = golden[i]["loglikelihoods"].get<std::vector<double>>();
    answer.greedy = golden[i]["greedy"].get<std::vector<bool>>();
    sum += FindTaskMetric(metric)->measure(task.items[i], answer)[0];
  }
  return sum / static_cast<double>(golden.size());
}

void ExpectItem(const v1::TaskResult::Item& item, const json& golden) {
  ASSERT_EQ(item.id(), golden["id"].get<std::string>());
  ASSERT_EQ(item.loglikelihoods_size(), static_cast<int>(golden["loglikelihoods"].size()));
  for (int i = 0; i < item.loglikelihoods_size(); ++i) {
    const double wanted = golden["loglikelihoods"][i].get<double>();
    EXPECT_LE(std::abs(item.loglikelihoods(i) - wanted), std::max(1e-3, 1e-5 * std::abs(wanted)))
        << item.id() << " " << i;
    EXPECT_EQ(item.greedy(i), golden["greedy"][i].get<bool>()) << item.id() << " " << i;
  }
}

absl::StatusOr<v1::TaskResult> AskDemoModel(const LoadedTask& task) {
  TERSOR_ASSIGN_OR_RETURN(Model loaded, LoadModel(*testing::DemoModelPath()));
  const Model model = RoundedToHalf(std::move(loaded));
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(model.assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel scoring, PrepareScoring(model, {.threads = 2}));
  TaskModel asked;
  asked.score = [&](std::span<const ContinuationRequest> requests, const ContinuationOptions& options,
                    const EvaluateContext& context) { return ScoreContinuations(scoring, requests, options, context); };
  TaskText text;
  text.tokenizer = tokenizer.get();
  text.prefix_id = model.spec.bos_id;
  text.context_length = model.spec.context_length;
  TERSOR_ASSIGN_OR_RETURN(AnswerStore store, AnswerStore::Open({}));
  return RunTask("dense", task, text, asked, store, {});
}

}  // namespace

void ExpectGoldenTask(const std::string& task, int count) {
  const auto shared = testing::SharedPath();
  if (!testing::DemoModelPath()) GTEST_SKIP() << "the demo model is missing: scripts/fetch_model.sh";
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  v1::TaskEvaluation wanted;
  wanted.set_name(task);
  wanted.set_limit(count);
  const auto loaded = LoadTask(TaskLibrary({*shared / "data"}), wanted, "");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  std::ifstream file(*shared / "golden/smollm2-135m/tasks_loglikelihood" / (task + ".jsonl"));
  std::vector<json> golden;
  for (std::string line; static_cast<int>(golden.size()) < count && std::getline(file, line);) {
    golden.push_back(json::parse(line));
  }
  ASSERT_EQ(static_cast<int>(golden.size()), count);
  const auto result = AskDemoModel(*loaded);
  ASSERT_TRUE(result.ok()) << result.status();
  for (int i = 0; i < count; ++i) ExpectItem(result->items(i), golden[i]);
  for (const v1::TaskResult::Metric& metric : result->metrics()) {
    if (!metric.name().starts_with("acc")) continue;
    EXPECT_DOUBLE_EQ(metric.value(), GoldenAccuracy(*loaded, golden, metric.name().c_str())) << metric.name();
  }
}

}  // namespace tersor
