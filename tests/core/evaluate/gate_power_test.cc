#include "core/evaluate/gate_power.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::Recipe Recipe(const std::vector<std::string>& gates) {
  v1::Recipe recipe;
  recipe.mutable_evaluate()->add_perplexity()->set_dataset("wiki");
  for (const std::string& gate : gates) recipe.add_gates(gate);
  return recipe;
}

const PlannedEvidence kEvidence = {
    .tasks = {{"piqa", "reasoning", 200, 60}, {"copa", "reasoning", 200, 60}, {"lama", "knowledge", 800, 80}},
    .texts = {{64, 128}}};

TEST(GatePowerTest, TwoHundredItemsDoNotDecideTwoPoints) {
  const std::vector<v1::GatePower> powers = PowerOfGates(Recipe({"task.piqa_drop <= 0.02"}), kEvidence);
  ASSERT_THAT(powers, SizeIs(1));
  EXPECT_EQ(powers[0].count(), 200);
  EXPECT_NEAR(powers[0].detectable(), 0.044, 0.001);
  EXPECT_EQ(powers[0].needed(), 979);
  // 60 seconds for 200 items.
  EXPECT_NEAR(powers[0].needed_seconds(), 979 * 0.3, 1e-9);
  EXPECT_LT(powers[0].decided(), 0.3);
  EXPECT_EQ(powers[0].text(),
            "200 items find a drop of 0.044 with probability 0.8 (assuming that 5 % of answers change); where nothing "
            "was lost the gate is decided in 24 % of runs; it needs about 979 (5 min)");
  const std::vector<v1::Warning> warnings = PowerWarnings(powers);
  ASSERT_THAT(warnings, SizeIs(1));
  EXPECT_EQ(warnings[0].code(), "UNDERPOWERED_GATE");
  EXPECT_THAT(warnings[0].message(), HasSubstr("would nearly always be inconclusive"));
  EXPECT_THAT(warnings[0].message(), HasSubstr("200 items resolve 0.044; it needs about 979 (5 min)"));
}

TEST(GatePowerTest, LongTimesAreDays) {
  const PlannedEvidence evidence = {.tasks = {{"piqa", "reasoning", 200, 60000}}, .texts = {}};
  const std::vector<v1::GatePower> powers = PowerOfGates(Recipe({"task.piqa_drop <= 0.02"}), evidence);
  ASSERT_THAT(powers, SizeIs(1));
  EXPECT_THAT(powers[0].text(), HasSubstr("it needs about 979 (4 days)"));
}

TEST(GatePowerTest, TooFewItemsFindNothingAndSetsMayHaveTooFew) {
  PlannedEvidence evidence;
  evidence.tasks = {{.name = "piqa", .items = 3, .seconds = 1, .available = 200}};
  const std::vector<v1::GatePower> few = PowerOfGates(Recipe({"task.piqa_drop <= 0.02"}), evidence);
  ASSERT_THAT(few, SizeIs(1));
  EXPECT_THAT(few[0].text(), HasSubstr("3 items find no drop with probability 0.8"));
  EXPECT_THAT(few[0].text(), HasSubstr("it needs about 979 (6 min), more than the 200 there are"));
  ASSERT_THAT(PowerWarnings(few), SizeIs(1));
  EXPECT_THAT(PowerWarnings(few)[0].message(),
              HasSubstr("3 items resolve no drop at all; it needs about 979 (6 min), more than the 200 there are"));
  evidence.tasks[0].items = 10;
  EXPECT_THAT(PowerOfGates(Recipe({"task.piqa_drop <= 0.5"}), evidence)[0].text(),
              HasSubstr("10 items find a drop of 0.6"));
  // Of a mean over tasks one of which may have any number.
  evidence.tasks.push_back({.name = "copa", .items = 3, .seconds = 1});
  EXPECT_THAT(PowerOfGates(Recipe({"task_accuracy_drop <= 0.02"}), evidence)[0].text(),
              ::testing::Not(HasSubstr("there are")));
}

TEST(GatePowerTest, SeveralTasksPoolTheirItems) {
  const std::vector<v1::GatePower> powers =
      PowerOfGates(Recipe({"ability.reasoning_drop <= 0.05", "task_accuracy_drop <= 0.03"}), kEvidence);
  ASSERT_THAT(powers, SizeIs(2));
  EXPECT_EQ(powers[0].count(), 400);
  EXPECT_GT(powers[0].decided(), 0.9);
  // Nine over 1/200 + 1/200 + 1/800 is as good as 800 items of one task, though there are 1200.
  EXPECT_EQ(powers[1].count(), 1200);
  EXPECT_NEAR(powers[1].detectable(), 0.0221, 0.0005);
  EXPECT_THAT(PowerWarnings(powers), IsEmpty());
}

TEST(GatePowerTest, PerplexityRatiosRestOnBlocks) {
  const std::vector<v1::GatePower> powers =
      PowerOfGates(Recipe({"perplexity_ratio <= 1.005", "perplexity_ratio <= 1.3"}), kEvidence);
  ASSERT_THAT(powers, SizeIs(2));
  EXPECT_EQ(powers[0].unit(), "blocks of text");
  EXPECT_NEAR(powers[0].detectable(), 0.0141, 0.0002);
  EXPECT_EQ(powers[0].needed(), 505);
  EXPECT_LT(powers[0].decided(), 0.2);
  EXPECT_GT(powers[1].decided(), 0.999);
  EXPECT_THAT(PowerWarnings(powers), SizeIs(1));
}

TEST(GatePowerTest, AGateThatAllowsNothingIsNeverDecided) {
  const std::vector<v1::GatePower> powers = PowerOfGates(Recipe({"task.lama_drop <= 0"}), kEvidence);
  ASSERT_THAT(powers, SizeIs(1));
  EXPECT_EQ(powers[0].needed(), 0);
  EXPECT_THAT(powers[0].text(), HasSubstr("no number of them decides"));
  EXPECT_THAT(PowerWarnings(powers), SizeIs(1));
}

// Their spread depends on the answers: nothing is told, and no warning claims to know better.
TEST(GatePowerTest, MetricsThatAreNoMeansHaveNoPowerBeforeAnswers) {
  PlannedEvidence evidence;
  evidence.tasks = {{.name = "cola", .ability = "understanding", .items = 100, .seconds = 30, .metric = "matthews"},
                    {.name = "stsb", .ability = "understanding", .items = 100, .seconds = 30, .metric = "pearson"},
                    {.name = "piqa", .ability = "reasoning", .items = 200, .seconds = 60}};
  const std::vector<v1::GatePower> powers =
      PowerOfGates(Recipe({"task.cola_drop <= 0.02", "task_accuracy_drop <= 0.02", "ability.reasoning_drop <= 0.02",
                           "task.piqa.f1_macro_drop <= 0.02", "task.cola.acc_drop <= 0.02"}),
                   evidence);
  ASSERT_THAT(powers, SizeIs(5));
  EXPECT_TRUE(IsUnknown(powers[0]));
  EXPECT_EQ(powers[0].count(), 100);
  EXPECT_EQ(powers[0].detectable(), 0);
  EXPECT_EQ(powers[0].needed(), 0);
  EXPECT_EQ(powers[0].text(),
            "100 items; how small a drop they find cannot be told before they have been answered: matthews of cola is "
            "no mean of items, and the spread depends on the answers. The report shows the interval; on_inconclusive: "
            "extend goes on until it decides");
  // One such task among others leaves their mean as unknown.
  EXPECT_TRUE(IsUnknown(powers[1]));
  EXPECT_EQ(powers[1].count(), 400);
  EXPECT_THAT(powers[1].text(), HasSubstr("matthews of cola, pearson of stsb are no mean of items"));
  EXPECT_FALSE(IsUnknown(powers[2]));
  // The gate's own metric counts, not the task's main one.
  EXPECT_TRUE(IsUnknown(powers[3]));
  EXPECT_FALSE(IsUnknown(powers[4]));
  EXPECT_THAT(PowerWarnings(powers), SizeIs(2));
}

TEST(GatePowerTest, ScoresBetweenRightAndWrongAreSaidToBeSo) {
  PlannedEvidence evidence;
  evidence.tasks = {{.name = "squad", .items = 200, .seconds = 60, .metric = "f1"}};
  const std::vector<v1::GatePower> powers = PowerOfGates(Recipe({"task.squad_drop <= 0.05"}), evidence);
  ASSERT_THAT(powers, SizeIs(1));
  EXPECT_NEAR(powers[0].detectable(), 0.044, 0.001);
  EXPECT_THAT(powers[0].text(), HasSubstr("(assuming that scores of answers change by a standard deviation of 0.22, as "
                                          "where 5 % of answers change from right to wrong or back)"));
}

TEST(GatePowerTest, OtherGatesHaveNone) {
  EXPECT_THAT(PowerOfGates(Recipe({"kl_mean <= 1", "size_ratio >= 3", "task.none_drop <= 0.1", "nonsense"}), kEvidence),
              IsEmpty());
}

// A higher confidence asks for more.
TEST(GatePowerTest, ConfidenceCosts) {
  v1::Recipe recipe = Recipe({"task.piqa_drop <= 0.05"});
  const double usual = PowerOfGates(recipe, kEvidence)[0].decided();
  recipe.mutable_gating()->set_confidence(0.99);
  EXPECT_LT(PowerOfGates(recipe, kEvidence)[0].decided(), usual);
}

}  // namespace
}  // namespace tersor
