#include "core/evaluate/gates.h"

#include <limits>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kRecipe[] = R"pb(
  evaluate {
    perplexity { dataset: "wiki" }
    performance {}
  }
)pb";

constexpr char kReport[] = R"pb(
  perplexity { subject: "dense" hash: "h" value: 10 }
  perplexity { subject: "compressed" hash: "h" value: 12.5 }
  divergence { kl_mean: 0.1 kl_p50: 0.05 kl_p99: 0.7 top1_agreement: 0.9 }
  size { ratio: 3.5 blocks_ratio: 3.75 true_bits: 4.25 }
  performance {
    subject: "dense"
    kind: "decode"
    tokens_per_second: 100
    tokens_per_second_min: 90
    tokens_per_second_max: 110
  }
  performance {
    subject: "compressed"
    kind: "decode"
    tokens_per_second: 150
    tokens_per_second_min: 140
    tokens_per_second_max: 160
  }
  performance {
    subject: "dense"
    kind: "prefill"
    tokens_per_second: 100
    tokens_per_second_min: 100
    tokens_per_second_max: 100
  }
  performance {
    subject: "compressed"
    kind: "prefill"
    tokens_per_second: 80
    tokens_per_second_min: 80
    tokens_per_second_max: 80
  }
)pb";

template <typename Message>
Message Parse(const char* text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

v1::GateResult Evaluate(const std::string& expression, const v1::Report& report = Parse<v1::Report>(kReport)) {
  const absl::StatusOr<Gate> gate = ParseGate(expression);
  EXPECT_TRUE(gate.ok()) << gate.status();
  return EvaluateGate(*gate, Parse<v1::Recipe>(kRecipe), report);
}

std::vector<std::string> Faults(v1::Recipe recipe, const std::string& gate) {
  recipe.add_gates(gate);
  std::vector<std::string> faults;
  for (const FieldViolation& violation : CheckGates(recipe)) {
    EXPECT_EQ(violation.field, "gates[0]");
    faults.push_back(violation.description);
  }
  return faults;
}

TEST(ParseGateTest, TakesFourOperatorsAndBlanks) {
  const std::vector<std::pair<std::string, GateOperator>> cases = {
      {"perplexity_ratio <= 1.3", GateOperator::kLessOrEqual},
      {"perplexity_ratio<1.3", GateOperator::kLess},
      {"  perplexity_ratio >= 1.3 ", GateOperator::kGreaterOrEqual},
      {"perplexity_ratio> 1.30e0", GateOperator::kGreater},
  };
  for (const auto& [text, op] : cases) {
    const absl::StatusOr<Gate> gate = ParseGate(text);
    ASSERT_TRUE(gate.ok()) << gate.status();
    EXPECT_EQ(gate->metric, "perplexity_ratio");
    EXPECT_EQ(gate->op, op) << text;
    EXPECT_EQ(gate->limit, 1.3);
    EXPECT_EQ(gate->selector, "");
  }
}

TEST(ParseGateTest, SelectorsMayHoldAnything) {
  const absl::StatusOr<Gate> gate = ParseGate("perplexity[/data/a<b.txt:words] <= 40");
  ASSERT_TRUE(gate.ok()) << gate.status();
  EXPECT_EQ(gate->selector, "/data/a<b.txt:words");
  EXPECT_EQ(gate->limit, 40);
}

TEST(ParseGateTest, FaultsSayWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "a gate is METRIC OP NUMBER"},
      {"perplexity_ratio", "a gate is METRIC OP NUMBER"},
      {"perplexity_ratio == 1", "a gate is METRIC OP NUMBER"},
      {"<= 1.3", "a gate is METRIC OP NUMBER"},
      {"perplexity_ratio <= ", "\"\" is not a number"},
      {"perplexity_ratio <= much", "\"much\" is not a number"},
      {"perplexity_ratio <= nan", "\"nan\" is not a number"},
      {"perplexity_ratio <= inf", "\"inf\" is not a number"},
      {"perplexity_ratio <= 1.3 or so", "\"1.3 or so\" is not a number"},
      {"perplexity_ratio <=> 1", "\"> 1\" is not a number"},
      {"perplexity_ratio[wiki <= 1", "] is missing"},
      {"perplexity_ratio[] <= 1", "is empty"},
      {"kl_mean[wiki] <= 1", "takes no selector"},
      {"perplexity_ration <= 1.3", "did you mean \"perplexity_ratio\"? Known: perplexity_ratio, perplexity, kl_mean"},
      {"joy >= 1", "metric \"joy\" is not known. Known: "},
      {"task_accuracy_drop <= 0.05", "task_accuracy_drop needs tasks, and tasks are not served yet"},
  };
  for (const auto& [text, message] : cases) {
    const absl::Status status = ParseGate(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message)) << text;
  }
}

TEST(CheckGatesTest, EveryMetricIsServedByAFullRecipe) {
  for (const GateMetric& metric : GateMetrics()) {
    EXPECT_THAT(Faults(Parse<v1::Recipe>(kRecipe), metric.name + " <= 1"), IsEmpty()) << metric.name;
  }
  EXPECT_EQ(GateMetrics().size(), 11);
}

TEST(CheckGatesTest, MetricsNeedTheirEvaluation) {
  const v1::Recipe empty;
  EXPECT_THAT(Faults(empty, "perplexity_ratio <= 1"), ElementsAre(HasSubstr("needs evaluate.perplexity")));
  EXPECT_THAT(Faults(empty, "kl_mean <= 1"), ElementsAre(HasSubstr("needs evaluate.perplexity: divergence")));
  EXPECT_THAT(Faults(empty, "decode_speedup >= 1"), ElementsAre(HasSubstr("needs evaluate.performance")));
  EXPECT_THAT(Faults(empty, "size_ratio >= 3"), IsEmpty());
  v1::Recipe off = Parse<v1::Recipe>(kRecipe);
  off.mutable_evaluate()->mutable_divergence()->set_enabled(false);
  EXPECT_THAT(Faults(off, "top1_agreement >= 0.8"), ElementsAre(HasSubstr("switches off")));
}

TEST(CheckGatesTest, SeveralPerplexitiesAreToldApart) {
  v1::Recipe recipe = Parse<v1::Recipe>(R"pb(evaluate {
                                               perplexity { dataset: "wiki" }
                                               perplexity { dataset: "wiki" convention: "llama.cpp" }
                                               perplexity { dataset: "books" }
                                             })pb");
  EXPECT_THAT(
      Faults(recipe, "perplexity <= 20"),
      ElementsAre(HasSubstr("fits 3 perplexities; pick one as perplexity[DATASET:CONVENTION] from wiki:windows, "
                            "wiki:llama.cpp, books:windows")));
  EXPECT_THAT(Faults(recipe, "perplexity[wiki] <= 20"), ElementsAre(HasSubstr("fits 2 perplexities")));
  EXPECT_THAT(Faults(recipe, "perplexity[books] <= 20"), IsEmpty());
  EXPECT_THAT(Faults(recipe, "perplexity[wiki:llama.cpp] <= 20"), IsEmpty());
  EXPECT_THAT(Faults(recipe, "perplexity[news] <= 20"), ElementsAre(HasSubstr("no perplexity is called \"news\"")));

  const v1::Report report = Parse<v1::Report>(R"pb(perplexity { subject: "dense" hash: "a" value: 10 }
                                                   perplexity { subject: "dense" hash: "b" value: 20 }
                                                   perplexity { subject: "dense" hash: "c" value: 30 }
                                                   perplexity { subject: "compressed" hash: "a" value: 11 }
                                                   perplexity { subject: "compressed" hash: "b" value: 24 }
                                                   perplexity { subject: "compressed" hash: "c" value: 39 })pb");
  EXPECT_DOUBLE_EQ(EvaluateGate(*ParseGate("perplexity_ratio[wiki:llama.cpp] <= 2"), recipe, report).value(), 1.2);
  EXPECT_DOUBLE_EQ(EvaluateGate(*ParseGate("perplexity[books] <= 2"), recipe, report).value(), 39);
}

TEST(EvaluateGateTest, EveryMetricReadsItsFigure) {
  const std::vector<std::pair<std::string, double>> cases = {{"perplexity_ratio", 1.25},
                                                             {"perplexity", 12.5},
                                                             {"kl_mean", 0.1},
                                                             {"kl_p50", 0.05},
                                                             {"kl_p99", 0.7},
                                                             {"top1_agreement", 0.9},
                                                             {"size_ratio", 3.5},
                                                             {"blocks_size_ratio", 3.75},
                                                             {"decode_speedup", 1.5},
                                                             {"prefill_speedup", 0.8},
                                                             {"true_bits", 4.25}};
  EXPECT_EQ(cases.size(), GateMetrics().size());
  for (const auto& [metric, value] : cases) {
    const v1::GateResult result = Evaluate(metric + " <= 1000");
    EXPECT_DOUBLE_EQ(result.value(), value) << metric;
    EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_PASS) << metric;
    EXPECT_EQ(result.metric(), metric);
    EXPECT_EQ(Evaluate(metric + " > 1000").outcome(), v1::GATE_OUTCOME_FAIL) << metric;
  }
}

TEST(EvaluateGateTest, LimitsThemselvesPassOnlyWhereTheyMay) {
  EXPECT_EQ(Evaluate("size_ratio >= 3.5").outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(Evaluate("size_ratio > 3.5").outcome(), v1::GATE_OUTCOME_FAIL);
  EXPECT_EQ(Evaluate("size_ratio <= 3.5").outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(Evaluate("size_ratio < 3.5").outcome(), v1::GATE_OUTCOME_FAIL);
}

// Repeats lie between 140/110 = 1.27 and 160/90 = 1.78.
TEST(EvaluateGateTest, ASpreadOverTheLimitIsInconclusive) {
  EXPECT_EQ(Evaluate("decode_speedup >= 1.2").outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(Evaluate("decode_speedup >= 1.8").outcome(), v1::GATE_OUTCOME_FAIL);
  const v1::GateResult result = Evaluate("decode_speedup >= 1.4");
  EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(result.reason(), "repeats lie between 1.273 and 1.778, on both sides of 1.4");
}

TEST(EvaluateGateTest, WhatWasNotMeasuredIsInconclusive) {
  const v1::GateResult result = Evaluate("perplexity_ratio <= 1.3", v1::Report());
  EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(result.reason(), "perplexity_ratio was not measured");
}

TEST(EvaluateGateTest, ValuesOfOtherProtocolsAreNotCompared) {
  v1::Report report = Parse<v1::Report>(kReport);
  report.mutable_perplexity(1)->set_hash("other");
  EXPECT_EQ(Evaluate("perplexity_ratio <= 1.3", report).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
}

TEST(EvaluateGateTest, ABrokenModelFails) {
  v1::Report report = Parse<v1::Report>(kReport);
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    report.mutable_perplexity(1)->set_value(value);
    EXPECT_EQ(Evaluate("perplexity_ratio >= 0", report).outcome(), v1::GATE_OUTCOME_FAIL);
  }
}

TEST(JudgeReportTest, AFailureOutweighsWhatIsUndecided) {
  v1::Recipe recipe = Parse<v1::Recipe>(kRecipe);
  v1::Report report = Parse<v1::Report>(kReport);
  ASSERT_TRUE(JudgeReport(recipe, report).ok());
  EXPECT_EQ(report.verdict(), v1::VERDICT_PASS);
  recipe.add_gates("kl_mean <= 1");
  ASSERT_TRUE(JudgeReport(recipe, report).ok());
  EXPECT_EQ(report.verdict(), v1::VERDICT_PASS);
  recipe.add_gates("decode_speedup >= 1.4");
  ASSERT_TRUE(JudgeReport(recipe, report).ok());
  EXPECT_EQ(report.verdict(), v1::VERDICT_INCONCLUSIVE);
  recipe.add_gates("size_ratio >= 4");
  ASSERT_TRUE(JudgeReport(recipe, report).ok());
  EXPECT_EQ(report.verdict(), v1::VERDICT_FAIL);
  ASSERT_EQ(report.gates_size(), 3);
  EXPECT_EQ(report.gates(2).expression(), "size_ratio >= 4");
}

TEST(GateWarningsTest, PerplexityAloneEarnsAWarning) {
  v1::Recipe recipe = Parse<v1::Recipe>(kRecipe);
  EXPECT_THAT(GateWarnings(recipe), IsEmpty());
  recipe.add_gates("size_ratio >= 3");
  EXPECT_THAT(GateWarnings(recipe), IsEmpty());
  recipe.add_gates("perplexity_ratio <= 1.3");
  ASSERT_EQ(GateWarnings(recipe).size(), 1);
  EXPECT_EQ(GateWarnings(recipe)[0].code(), "PERPLEXITY_ONLY_GATE");
  recipe.add_gates("kl_mean <= 0.3");
  EXPECT_THAT(GateWarnings(recipe), IsEmpty());
}

}  // namespace
}  // namespace tersor
