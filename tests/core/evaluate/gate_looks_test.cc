#include "core/evaluate/gate_looks.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Recipe Recipe(const std::string& gate) {
  v1::Recipe recipe;
  recipe.mutable_evaluate()->add_tasks()->set_name("piqa");
  recipe.mutable_evaluate()->add_tasks()->set_name("copa");
  recipe.mutable_gating()->set_on_inconclusive("extend");
  recipe.add_gates(gate);
  return recipe;
}

// Scores of one task on both sides.
struct Scores {
  std::vector<bool> dense;
  std::vector<bool> compressed;
};

void AddTask(const std::string& name, const Scores& scores, int items, v1::Report& report) {
  for (const bool dense : {true, false}) {
    v1::TaskResult* task = report.add_tasks();
    task->set_task(name);
    task->set_subject(dense ? "dense" : "compressed");
    task->set_hash(name + std::to_string(items));
    double right = 0;
    for (int i = 0; i < items; ++i) {
      const bool score = dense ? scores.dense[i] : scores.compressed[i];
      task->add_items()->set_id(std::to_string(i));
      (*task->mutable_items(i)->mutable_scores())["acc"] = score;
      right += score;
    }
    task->add_metrics()->set_name("acc");
    task->mutable_metrics(0)->set_value(right / items);
    task->mutable_metrics(0)->set_higher_is_better(true);
  }
}

// Every `every`-th item is lost.
Scores Losing(int items, int every) {
  Scores scores;
  for (int i = 0; i < items; ++i) {
    scores.dense.push_back(true);
    scores.compressed.push_back(i % every != 0);
  }
  return scores;
}

v1::Report Report(const Scores& piqa, int items) {
  v1::Report report;
  AddTask("piqa", piqa, items, report);
  return report;
}

TEST(GateLooksTest, GoesOnUntilItIsDecided) {
  const v1::Recipe recipe = Recipe("task.piqa_drop <= 0.1");
  const std::map<std::string, int64_t> available = {{"piqa", 800}, {"copa", 100}};
  const Scores scores = Losing(800, 20);
  GateLooks looks(recipe, available);
  looks.Look(Report(scores, 100));
  EXPECT_THAT(looks.UndecidedTasks(), ElementsAre("piqa"));
  looks.Look(Report(scores, 200));
  EXPECT_THAT(looks.UndecidedTasks(), ElementsAre("piqa"));
  looks.Look(Report(scores, 400));
  EXPECT_THAT(looks.UndecidedTasks(), IsEmpty());
  ASSERT_EQ(looks.Results().size(), 1);
  const v1::GateResult result = looks.Results()[0];
  EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(result.count(), 400);
  ASSERT_EQ(result.looks_size(), 3);
  EXPECT_EQ(result.looks(0).count(), 100);
  EXPECT_EQ(result.looks(0).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  // Every look is asked more than a single one would be.
  for (const auto& look : result.looks()) EXPECT_GT(look.interval().confidence(), 0.95);
  EXPECT_THAT(result.reason(), HasSubstr("look 3"));
  // Decided is decided.
  looks.Look(Report(Losing(800, 2), 800));
  EXPECT_EQ(looks.Results()[0].outcome(), v1::GATE_OUTCOME_PASS);
}

TEST(GateLooksTest, EndsWhereTheSetIsUsedUp) {
  const v1::Recipe recipe = Recipe("task.piqa_drop <= 0.05");
  const std::map<std::string, int64_t> available = {{"piqa", 200}};
  const Scores scores = Losing(200, 20);
  GateLooks looks(recipe, available);
  looks.Look(Report(scores, 100));
  EXPECT_THAT(looks.UndecidedTasks(), ElementsAre("piqa"));
  looks.Look(Report(scores, 200));
  EXPECT_THAT(looks.UndecidedTasks(), IsEmpty());
  EXPECT_EQ(looks.Results()[0].outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
}

TEST(GateLooksTest, OneLookAtEverythingIsThePlainGate) {
  const v1::Recipe recipe = Recipe("task.piqa_drop <= 0.1");
  const std::map<std::string, int64_t> available = {{"piqa", 200}};
  GateLooks looks(recipe, available);
  looks.Look(Report(Losing(200, 20), 200));
  EXPECT_NEAR(looks.Results()[0].interval().confidence(), 0.95, 1e-9);
}

TEST(GateLooksTest, OnlyUndecidedGatesAskForMore) {
  v1::Recipe recipe = Recipe("task.piqa_drop <= 0.5");
  recipe.add_gates("task.copa_drop <= 0.05");
  recipe.add_gates("task_accuracy_drop <= 0.02 vs job:7");
  recipe.add_gates("size_ratio >= 3");
  const std::map<std::string, int64_t> available = {{"piqa", 800}, {"copa", 200}};
  v1::Report report = Report(Losing(100, 20), 100);
  AddTask("copa", Losing(100, 20), 100, report);
  GateLooks looks(recipe, available);
  looks.Look(report);
  EXPECT_THAT(looks.UndecidedTasks(), ElementsAre("copa"));
  EXPECT_EQ(looks.Results().size(), 2);
}

// A model that sits on the limit: whatever the looks, it passes in no more than 2.5 % of runs (and fails in as many).
TEST(GateLooksTest, TheErrorRateIsKept) {
  const v1::Recipe recipe = Recipe("task.piqa_drop <= 0.03");
  const std::map<std::string, int64_t> available = {{"piqa", 800}};
  std::mt19937 random(3);
  std::discrete_distribution<int> outcome({0.05, 0.02, 0.93});
  constexpr int kTrials = 200;
  int wrong = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    Scores scores;
    for (int i = 0; i < 800; ++i) {
      const int kind = outcome(random);
      scores.dense.push_back(kind != 1);
      scores.compressed.push_back(kind != 0);
    }
    GateLooks looks(recipe, available);
    for (int items = 100; items <= 800; items *= 2) looks.Look(Report(scores, items));
    wrong += looks.Results()[0].outcome() != v1::GATE_OUTCOME_INCONCLUSIVE;
  }
  // Three standard deviations above 5 %.
  EXPECT_LT(wrong, (0.05 + 3 * 0.0154) * kTrials);
}

}  // namespace
}  // namespace tersor
