#include "core/evaluate/tasks/abilities.h"

#include <cmath>

#include "absl/strings/string_view.h"
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
    result.add_metrics()->set_name("acc");
    for (int i = 0; i < items; ++i) {
      v1::TaskResult::Item& item = *result.add_items();
      for (int choice = 0; choice < 4; ++choice) item.add_loglikelihoods(-1);
      const bool right = i < dense && (absl::string_view(subject) == "dense" || i >= lost);
      (*item.mutable_scores())["acc"] = right;
    }
  }
}

v1::AbilityResult Only(const v1::Report& report) {
  const auto abilities = SummarizeAbilities(report);
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
  // The paired differences: 60 ones of 400, with the two added items 60/402 and variance (61/402 - (60/402)^2)/402.
  EXPECT_NEAR(ability.standard_error(), std::sqrt((61.0 / 402 - 3600.0 / 402 / 402) / 402), 1e-12);
  EXPECT_EQ(ability.outcome(), v1::ABILITY_OUTCOME_DAMAGED);
  EXPECT_THAT(ability.reason(), HasSubstr("lost 15.0 points"));
}

TEST(AbilitiesTest, ManyItemsWithoutAFlipAreKept) {
  v1::Report report;
  AddTask("boolq", "knowledge_in_context", 400, 300, 0, report);
  EXPECT_EQ(Only(report).outcome(), v1::ABILITY_OUTCOME_KEPT);
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
  const auto abilities = SummarizeAbilities(report);
  ASSERT_EQ(abilities.size(), 2);
  EXPECT_EQ(abilities[0].ability(), "knowledge");
  EXPECT_DOUBLE_EQ(abilities[1].dense(), 0.75);
  EXPECT_EQ(abilities[1].items(), 400);
}

TEST(AbilitiesTest, OtherProtocolsAreNotPaired) {
  v1::Report report;
  AddTask("piqa", "reasoning", 100, 80, 0, report);
  report.mutable_tasks(1)->set_hash("other");
  EXPECT_TRUE(SummarizeAbilities(report).empty());
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
