#include "core/evaluate/tasks/abilities.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"
#include "core/evaluate/gates.h"
#include "core/statistics/paired.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

// `items` questions of four choices; the dense model is right on the first `dense`, the compressed one on those but the
// first `lost`.
void AddTask(const char* task, const char* ability, int items, int dense, int lost, v1::Report& report) {
  for (const char* subject : {"dense", "compressed"}) {
    v1::TaskResult& result = *report.add_tasks();
    result.set_task(task);
    result.set_ability(ability);
    result.set_subject(subject);
    result.set_hash("h");
    v1::TaskResult::Metric& metric = *result.add_metrics();
    metric.set_name("acc");
    metric.set_higher_is_better(true);
    int right_items = 0;
    for (int i = 0; i < items; ++i) {
      v1::TaskResult::Item& item = *result.add_items();
      for (int choice = 0; choice < 4; ++choice) item.add_loglikelihoods(-1);
      const bool right = i < dense && (absl::string_view(subject) == "dense" || i >= lost);
      item.set_id(std::to_string(i));
      (*item.mutable_scores())["acc"] = right;
      right_items += right;
    }
    const double share = static_cast<double>(right_items) / items;
    metric.set_value(share);
    metric.set_standard_error(std::sqrt(share * (1 - share) / (items - 1)));
    metric.set_count(items);
  }
}

v1::AbilityResult Only(const v1::Report& report) {
  const auto abilities = SummarizeAbilities(report, 0.95);
  EXPECT_EQ(abilities.size(), 1);
  return abilities.at(0);
}

TEST(AbilitiesTest, ACertainLossIsDamage) {
  v1::Report report;
  AddTask("triviaqa", "knowledge", 400, 240, 60, report);
  const v1::AbilityResult ability = Only(report);
  EXPECT_DOUBLE_EQ(ability.dense(), 0.6);
  EXPECT_DOUBLE_EQ(ability.compressed(), 0.45);
  EXPECT_NEAR(ability.drop(), 0.15, 1e-12);
  // The paired differences: 60 ones of 400.
  EXPECT_NEAR(ability.standard_error(), std::sqrt(0.15 * 0.85 / 399), 1e-12);
  const Interval interval = TangoInterval({.items = 400, .lost = 60}, 0.95);
  EXPECT_EQ(ability.low(), interval.low);
  EXPECT_EQ(ability.high(), interval.high);
  EXPECT_EQ(ability.confidence(), 0.95);
  EXPECT_EQ(ability.tolerance(), kAbilityTolerance);
  EXPECT_EQ(ability.outcome(), v1::ABILITY_OUTCOME_DAMAGED);
  EXPECT_THAT(ability.reason(), HasSubstr("lost 15.0 points"));
}

TEST(AbilitiesTest, ManyItemsWithoutAFlipAreKept) {
  v1::Report report;
  AddTask("boolq", "knowledge_in_context", 400, 300, 0, report);
  EXPECT_EQ(Only(report).outcome(), v1::ABILITY_OUTCOME_KEPT);
}

TEST(AbilitiesTest, WhatIsNoNumberIsNeverKept) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const int broken : {0, 1}) {
    v1::Report report;
    AddTask("boolq", "knowledge_in_context", 400, 300, 0, report);
    for (v1::TaskResult::Item& item : *report.mutable_tasks(broken)->mutable_items()) {
      (*item.mutable_scores())["acc"] = nan;
    }
    report.mutable_tasks(broken)->mutable_metrics(0)->set_value(nan);
    report.mutable_tasks(broken)->mutable_metrics(0)->set_standard_error(nan);
    EXPECT_NE(Only(report).outcome(), v1::ABILITY_OUTCOME_KEPT) << Only(report).reason();
  }
}

TEST(AbilitiesTest, AFewItemsWithoutAFlipProveNothing) {
  v1::Report report;
  AddTask("boolq", "knowledge_in_context", 20, 18, 0, report);
  EXPECT_EQ(Only(report).outcome(), v1::ABILITY_OUTCOME_UNDECIDED);
}

TEST(AbilitiesTest, WhatTheDenseModelCannotDoIsNotMeasured) {
  v1::Report report;
  AddTask("mmlu", "knowledge", 200, 52, 10, report);
  EXPECT_EQ(Only(report).outcome(), v1::ABILITY_OUTCOME_NOT_MEASURABLE);
}

TEST(AbilitiesTest, TasksWeighEquallyAndAbilitiesStandInOrder) {
  v1::Report report;
  AddTask("piqa", "reasoning", 100, 100, 0, report);
  AddTask("arc_easy", "reasoning", 300, 150, 0, report);
  AddTask("lama", "knowledge", 100, 50, 0, report);
  AddTask("alone", "", 100, 50, 0, report);
  const auto abilities = SummarizeAbilities(report, 0.95);
  ASSERT_EQ(abilities.size(), 2);
  EXPECT_EQ(abilities[0].ability(), "knowledge");
  EXPECT_DOUBLE_EQ(abilities[1].dense(), 0.75);
  EXPECT_EQ(abilities[1].items(), 400);
}

v1::Recipe WithGate(const std::string& gate) {
  v1::Recipe recipe;
  recipe.add_stages();
  recipe.mutable_evaluate()->mutable_suite()->set_name("kick");
  recipe.add_gates(gate);
  return recipe;
}

// Whatever was lost and on however many items: the verdict's interval is the gate's, so that a gate at the tolerance
// passes exactly where the ability is kept.
TEST(AbilitiesTest, VerdictsAndGatesNeverContradictEachOther) {
  const v1::Recipe recipe = WithGate("ability.knowledge_drop <= 0.05");
  const absl::StatusOr<Gate> gate = ParseGate(recipe.gates(0));
  ASSERT_TRUE(gate.ok());
  for (const int items : {20, 60, 200, 500}) {
    for (const int percent : {0, 1, 3, 5, 10, 20}) {
      v1::Report report;
      *report.mutable_recipe() = recipe;
      AddTask("triviaqa", "knowledge", items, items, items * percent / 100, report);
      AddTask("mmlu", "knowledge", 2 * items, items, items * percent / 150, report);
      const v1::AbilityResult ability = Only(report);
      const v1::GateResult result = EvaluateGate(*gate, recipe, report, {}, 0.95);
      EXPECT_EQ(ability.low(), result.interval().low());
      EXPECT_EQ(ability.high(), result.interval().high());
      EXPECT_EQ(ability.drop(), result.value());
      EXPECT_EQ(ability.outcome() == v1::ABILITY_OUTCOME_KEPT, result.outcome() == v1::GATE_OUTCOME_PASS);
    }
  }
}

TEST(AbilitiesTest, ALookedAtDropKeepsItsLastLook) {
  v1::Report report;
  AddTask("triviaqa", "knowledge", 400, 240, 60, report);
  v1::GateResult& gate = *report.add_gates();
  gate.set_metric("ability.knowledge_drop");
  gate.set_baseline("dense");
  gate.set_value(0.1);
  gate.set_count(300);
  gate.mutable_interval()->set_low(-0.01);
  gate.mutable_interval()->set_high(0.21);
  gate.mutable_interval()->set_confidence(0.99);
  gate.add_looks();
  EXPECT_EQ(Only(report).outcome(), v1::ABILITY_OUTCOME_DAMAGED);
  gate.add_looks();
  const v1::AbilityResult ability = Only(report);
  EXPECT_EQ(ability.outcome(), v1::ABILITY_OUTCOME_UNDECIDED);
  EXPECT_EQ(ability.confidence(), 0.99);
  EXPECT_THAT(ability.reason(), HasSubstr("99 %, look 2: -1.0 to 21.0 points on 300 items"));
}

// The main metric counts, also where it is no mean of items.
TEST(AbilitiesTest, TheMainMetricCounts) {
  v1::Report report;
  AddTask("cola", "understanding", 100, 80, 0, report);
  AddTask("stsb", "understanding", 100, 80, 0, report);
  for (v1::TaskResult& task : *report.mutable_tasks()) {
    if (task.task() != "stsb") continue;
    task.mutable_metrics(0)->set_name("pearson");
    for (v1::TaskResult::Item& item : *task.mutable_items()) {
      const double score = item.scores().at("acc");
      item.clear_scores();
      (*item.mutable_scores())["pearson.prediction"] = score;
      (*item.mutable_scores())["pearson.gold"] = std::stoi(item.id()) % 5;
    }
  }
  EXPECT_EQ(Only(report).tasks_size(), 2);
  // What is better when lower is no ability.
  for (const int i : {2, 3}) report.mutable_tasks(i)->mutable_metrics(0)->set_higher_is_better(false);
  EXPECT_EQ(Only(report).tasks_size(), 1);
}

TEST(AbilitiesTest, OtherProtocolsAreNotPaired) {
  v1::Report report;
  AddTask("piqa", "reasoning", 100, 80, 0, report);
  report.mutable_tasks(1)->set_hash("other");
  EXPECT_TRUE(SummarizeAbilities(report, 0.95).empty());
}

TEST(AbilitiesTest, DamageBehindAGoodPerplexityIsNamed) {
  v1::Report report;
  AddTask("triviaqa", "knowledge", 400, 240, 60, report);
  *report.add_abilities() = Only(report);
  EXPECT_TRUE(AbilityWarnings(report).empty());
  for (const auto& [subject, value] : {std::pair("dense", 20.0), std::pair("compressed", 21.0)}) {
    v1::PerplexityResult& perplexity = *report.add_perplexity();
    perplexity.set_subject(subject);
    perplexity.set_hash("p");
    perplexity.set_value(value);
  }
  const auto warnings = AbilityWarnings(report);
  ASSERT_EQ(warnings.size(), 1);
  EXPECT_EQ(warnings[0].code(), "PERPLEXITY_HIDES_DAMAGE");
  EXPECT_THAT(warnings[0].message(), HasSubstr("rose by 5.0 % only, but knowledge lost 15.0 points"));
}

}  // namespace
}  // namespace tersor
