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

v1::Recipe TextRecipe(const std::string& gate) {
  v1::Recipe recipe;
  recipe.add_stages();
  for (const char* dataset : {"wiki", "code"}) {
    recipe.mutable_evaluate()->add_perplexity()->set_dataset(dataset);
    recipe.mutable_evaluate()->mutable_perplexity()->rbegin()->set_max_windows(8);
  }
  recipe.mutable_gating()->set_on_inconclusive("extend");
  recipe.add_gates(gate);
  return recipe;
}

TEST(ExtendableTextsTest, AreThoseThatUndecidedGatesCouldRestOn) {
  EXPECT_THAT(ExtendableTexts(TextRecipe("perplexity_ratio[code] <= 1.1")), ElementsAre(1));
  EXPECT_THAT(ExtendableTexts(TextRecipe("kl_p99 <= 1.1")), ElementsAre(0));
  EXPECT_THAT(ExtendableTexts(TextRecipe("top1_agreement >= 0.8")), ElementsAre(0));
  // Exact, another job's, none of a text's.
  EXPECT_THAT(ExtendableTexts(TextRecipe("perplexity[code] <= 20")), IsEmpty());
  EXPECT_THAT(ExtendableTexts(TextRecipe("perplexity_ratio[code] <= 1.1 vs job:7")), IsEmpty());
  EXPECT_THAT(ExtendableTexts(TextRecipe("size_ratio >= 3")), IsEmpty());
  v1::Recipe whole = TextRecipe("kl_p99 <= 1.1");
  whole.mutable_evaluate()->mutable_perplexity(0)->clear_max_windows();
  EXPECT_THAT(ExtendableTexts(whole), IsEmpty());
  v1::Recipe fails = TextRecipe("kl_p99 <= 1.1");
  fails.mutable_gating()->clear_on_inconclusive();
  EXPECT_THAT(ExtendableTexts(fails), IsEmpty());
}

// The divergence is asked for at the confidence of each look.
TEST(GateLooksTest, DivergencesAreJudgedAtTheLooksConfidence) {
  const v1::Recipe recipe = TextRecipe("kl_mean <= 0.1");
  std::vector<double> asked;
  double half_width = 0.2;
  GateLooks looks(recipe, {{0, 32}}, [&](double confidence) {
    asked.push_back(confidence);
    v1::DivergenceResult divergence;
    divergence.set_kl_mean(0.05);
    divergence.set_blocks(64);
    divergence.mutable_kl_mean_interval()->set_low(0.05 - half_width);
    divergence.mutable_kl_mean_interval()->set_high(0.05 + half_width);
    return divergence;
  });
  v1::Report report;
  *report.mutable_recipe() = recipe;
  report.mutable_divergence();
  v1::PerplexityResult* result = report.add_perplexity();
  result->set_subject("compressed");
  for (int i = 0; i < 8; ++i) result->add_windows();
  looks.Look(report);
  EXPECT_THAT(looks.UndecidedTexts(), ElementsAre(0));
  EXPECT_THAT(looks.UndecidedTasks(), IsEmpty());
  for (int i = 0; i < 8; ++i) report.mutable_perplexity(0)->add_windows();
  half_width = 0.04;
  looks.Look(report);
  EXPECT_THAT(looks.UndecidedTexts(), IsEmpty());
  ASSERT_EQ(asked.size(), 2);
  EXPECT_GT(asked[0], 0.95);
  const v1::GateResult gate = looks.Results()[0];
  EXPECT_EQ(gate.outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(gate.available(), 32);
  ASSERT_EQ(gate.looks_size(), 2);
  EXPECT_EQ(gate.looks(0).windows(), 8);
  EXPECT_EQ(gate.looks(1).windows(), 16);
  EXPECT_EQ(gate.looks(1).count(), 64);
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
