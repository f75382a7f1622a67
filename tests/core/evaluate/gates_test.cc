#include "core/evaluate/gates.h"

#include <cmath>
#include <functional>
#include <limits>
#include <tuple>

#include "core/evaluate/speedup.h"
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
    tasks { name: "piqa" }
    suite { name: "kick" }
  }
)pb";

constexpr char kReport[] = R"pb(
  perplexity {
    subject: "dense"
    hash: "h"
    value: 10
    count: 200
    windows { n: 100 nll_sum: 230.258509 }
    windows { n: 100 nll_sum: 230.258509 }
  }
  perplexity {
    subject: "compressed"
    hash: "h"
    value: 12.5
    count: 200
    windows { n: 100 nll_sum: 252.572864 }
    windows { n: 100 nll_sum: 252.572864 }
  }
  divergence {
    kl_mean: 0.1
    kl_p50: 0.05
    kl_p99: 0.7
    top1_agreement: 0.9
    blocks: 8
    kl_mean_interval { low: 0.08 high: 0.12 }
    kl_p50_interval { low: 0.04 high: 0.06 }
    kl_p99_interval { low: 0.5 high: 0.9 }
    top1_agreement_interval { low: 0.88 high: 0.92 }
  }
  size { ratio: 3.5 blocks_ratio: 3.75 true_bits: 4.25 }
  speedups {
    kind: "decode"
    value: 1.5
    rounds: 5
    interval { low: 1.25 high: 1.8 confidence: 0.95 }
  }
  speedups {
    kind: "prefill"
    value: 0.8
    rounds: 5
    interval { low: 0.78 high: 0.820512820512820512 confidence: 0.95 }
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
  return EvaluateGate(*gate, Parse<v1::Recipe>(kRecipe), report, {}, 0.95);
}

// `lost` items are right before and wrong after, `won` the other way round, half of the rest is right on both sides.
void AddTask(v1::Report& report, const std::string& name, const std::string& ability, int items, int lost, int won) {
  for (const char* subject : {"dense", "compressed"}) {
    v1::TaskResult* task = report.add_tasks();
    task->set_task(name);
    task->set_subject(subject);
    task->set_ability(ability);
    task->set_hash(name + "/" + std::to_string(items));
    double right = 0;
    for (int i = 0; i < items; ++i) {
      v1::TaskResult::Item* item = task->add_items();
      item->set_id(std::to_string(i));
      const bool dense = i < lost || (i >= lost + won && i % 2 == 0);
      const bool score = task->subject() == "dense" ? dense : i < lost + won ? !dense : dense;
      (*item->mutable_scores())["acc"] = score;
      right += score;
    }
    v1::TaskResult::Metric* metric = task->add_metrics();
    metric->set_name("acc");
    metric->set_value(right / items);
    metric->set_higher_is_better(true);
  }
}

v1::Report TaskReport(int items, int lost, int won) {
  v1::Report report = Parse<v1::Report>(kReport);
  AddTask(report, "piqa", "reasoning", items, lost, won);
  return report;
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
      {"perplexity_ration <= 1.3", "did you mean \"perplexity_ratio\"? known: perplexity_ratio, perplexity, kl_mean"},
      {"joy >= 1", "metric \"joy\" is not known; known: "},
      {"task.piqa.", "a gate is METRIC OP NUMBER"},
      {"task. <= 1", "metric \"task.\" is not known"},
      {"task.piqa. <= 1", "metric \"task.piqa.\" is not known"},
      {"task.piqa_drop <= 1 vs ", "\"1 vs\" is not a number"},
      {"ability.knowledge <= 1", "metric \"ability.knowledge\" is not known"},
      {"perplexity_ratio <= 1 vs job:", "names no job"},
      {"perplexity_ratio <= 1 vs job:label==x", "names no label"},
      {"kl_mean <= 1 vs job:7", "kl_mean is not compared with another job"},
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
  EXPECT_EQ(GateMetrics().size(), 15);
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

TEST(CheckGatesTest, TasksAndAbilitiesNeedTheirs) {
  EXPECT_THAT(Faults({}, "task_accuracy_drop <= 1"), ElementsAre(HasSubstr("needs evaluate.tasks or evaluate.suite")));
  v1::Recipe recipe;
  recipe.mutable_evaluate()->add_tasks()->set_name("piqa");
  EXPECT_THAT(Faults(recipe, "task_accuracy_drop <= 0.02"), IsEmpty());
  EXPECT_THAT(Faults(recipe, "task.piqa_drop <= 0.02"), IsEmpty());
  EXPECT_THAT(Faults(recipe, "task.piqa.acc_norm >= 0.6"), IsEmpty());
  EXPECT_THAT(Faults(recipe, "task.pica_drop <= 0.02"), ElementsAre(HasSubstr("did you mean \"piqa\"?")));
  EXPECT_THAT(Faults(recipe, "ability.knowledge_drop <= 0.02"), ElementsAre(HasSubstr("needs evaluate.suite")));
}

TEST(CheckGatesTest, PoliciesAreChecked) {
  v1::Recipe recipe;
  recipe.mutable_gating()->set_confidence(95);
  recipe.mutable_gating()->set_on_inconclusive("extent");
  recipe.mutable_gating()->set_baseline("job:");
  std::vector<std::string> fields;
  for (const FieldViolation& violation : CheckGates(recipe)) {
    fields.push_back(violation.field + " " + violation.description);
  }
  EXPECT_THAT(fields, ElementsAre(HasSubstr("gating.confidence is 95; it lies between"),
                                  HasSubstr("gating.on_inconclusive policy \"extent\" is not known; did you mean "
                                            "\"extend\"?"),
                                  HasSubstr("gating.baseline \"job:\" names no job")));
}

TEST(CheckGatesTest, ExtendingWarnsWhereItDoesNothing) {
  v1::Recipe recipe;
  recipe.mutable_gating()->set_on_inconclusive("extend");
  EXPECT_THAT(CheckGates(recipe), IsEmpty());
  ASSERT_EQ(GateWarnings(recipe).size(), 1);
  EXPECT_EQ(GateWarnings(recipe)[0].code(), "NOTHING_TO_EXTEND");
  recipe.mutable_evaluate()->add_tasks()->set_name("piqa");
  recipe.add_gates("task.piqa_drop <= 0.1");
  EXPECT_TRUE(GateWarnings(recipe).empty());
}

TEST(CheckGatesTest, ATextGoesOnWhereItsWindowsAreLimited) {
  v1::Recipe recipe;
  recipe.mutable_gating()->set_on_inconclusive("extend");
  recipe.mutable_evaluate()->add_perplexity()->set_dataset("wiki");
  recipe.add_gates("kl_mean <= 0.1");
  ASSERT_EQ(GateWarnings(recipe).size(), 1);
  EXPECT_EQ(GateWarnings(recipe)[0].code(), "NOTHING_TO_EXTEND");
  recipe.mutable_evaluate()->mutable_perplexity(0)->set_max_windows(8);
  EXPECT_TRUE(GateWarnings(recipe).empty());
}

// The same task asked in the chat template is another set of answers.
TEST(EvaluateGateTest, FormsOfOneTaskAreToldApartByTheirHash) {
  v1::Report report;
  for (const auto& [subject, hash, right] :
       {std::tuple("dense", "plain", 1), std::tuple("dense", "chat", 1), std::tuple("compressed", "plain", 1),
        std::tuple("compressed", "chat", 0)}) {
    v1::TaskResult& task = *report.add_tasks();
    task.set_task("piqa");
    task.set_subject(subject);
    task.set_hash(hash);
    for (int i = 0; i < 50; ++i) {
      task.add_items()->set_id(std::to_string(i));
      (*task.mutable_items(i)->mutable_scores())["acc"] = right;
    }
    task.add_metrics()->set_name("acc");
    task.mutable_metrics(0)->set_value(right);
    task.mutable_metrics(0)->set_higher_is_better(true);
  }
  const absl::StatusOr<Gate> gate = ParseGate("task_accuracy_drop <= 0.1");
  EXPECT_DOUBLE_EQ(EvaluateGate(*gate, {}, report, {}, 0.95).value(), 0.5);
  v1::Recipe recipe;
  ASSERT_TRUE(JudgeReport(recipe, {}, report).ok());
  ASSERT_EQ(report.task_comparisons_size(), 2);
  EXPECT_EQ(report.task_comparisons(0).drop(), 0);
  EXPECT_EQ(report.task_comparisons(1).drop(), 1);
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
  EXPECT_DOUBLE_EQ(EvaluateGate(*ParseGate("perplexity_ratio[wiki:llama.cpp] <= 2"), recipe, report, {}, 0.95).value(),
                   1.2);
  EXPECT_DOUBLE_EQ(EvaluateGate(*ParseGate("perplexity[books] <= 2"), recipe, report, {}, 0.95).value(), 39);
}

TEST(EvaluateGateTest, EveryMetricReadsItsFigure) {
  const std::vector<std::pair<std::string, double>> cases = {{"perplexity_ratio", 1.25},
                                                             {"perplexity", 12.5},
                                                             {"kl_mean", 0.1},
                                                             {"kl_p50", 0.05},
                                                             {"kl_p99", 0.7},
                                                             {"top1_agreement", 0.9},
                                                             {"task_accuracy_drop", 0.03},
                                                             {"task.piqa_drop", 0.03},
                                                             {"task.piqa", 0.485},
                                                             {"ability.reasoning_drop", 0.03},
                                                             {"size_ratio", 3.5},
                                                             {"blocks_size_ratio", 3.75},
                                                             {"decode_speedup", 1.5},
                                                             {"prefill_speedup", 0.8},
                                                             {"true_bits", 4.25}};
  const v1::Report report = TaskReport(400, 20, 8);
  EXPECT_EQ(cases.size(), GateMetrics().size());
  for (const auto& [metric, value] : cases) {
    const v1::GateResult result = Evaluate(metric + " <= 1000", report);
    EXPECT_NEAR(result.value(), value, 1e-12) << metric;
    EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_PASS) << metric;
    EXPECT_EQ(result.metric(), metric);
    EXPECT_EQ(Evaluate(metric + " > 1000", report).outcome(), v1::GATE_OUTCOME_FAIL) << metric;
  }
}

TEST(EvaluateGateTest, LimitsThemselvesPassOnlyWhereTheyMay) {
  EXPECT_EQ(Evaluate("size_ratio >= 3.5").outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(Evaluate("size_ratio > 3.5").outcome(), v1::GATE_OUTCOME_FAIL);
  EXPECT_EQ(Evaluate("size_ratio <= 3.5").outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(Evaluate("size_ratio < 3.5").outcome(), v1::GATE_OUTCOME_FAIL);
}

TEST(EvaluateGateTest, ASpreadOverTheLimitIsInconclusive) {
  EXPECT_EQ(Evaluate("decode_speedup >= 1.2").outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(Evaluate("decode_speedup >= 1.9").outcome(), v1::GATE_OUTCOME_FAIL);
  const v1::GateResult result = Evaluate("decode_speedup >= 1.4");
  EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(result.reason(),
            "decode_speedup is 1.5, but 95 % interval 1.25 to 1.8 over 5 rounds: on both sides of 1.4");
  EXPECT_EQ(Evaluate("decode_speedup >= 1.25001").reason(),
            "decode_speedup is 1.5, but 95 % interval 1.25 to 1.8 over 5 rounds: on both sides of 1.25001");
}

v1::GateResult SpeedupGate(const std::vector<double>& ratios, double confidence) {
  v1::Report report;
  *report.add_speedups() = DescribeSpeedup("decode", ratios, 0.95);
  return EvaluateGate(*ParseGate("decode_speedup >= 1.8"), Parse<v1::Recipe>(kRecipe), report, {}, confidence);
}

// The gate's interval is that of its own confidence, whatever the report shows.
TEST(EvaluateGateTest, SpeedupsAreDecidedAtTheGatesConfidence) {
  const v1::GateResult one = SpeedupGate({2.58}, 0.95);
  EXPECT_EQ(one.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_FALSE(one.has_interval());
  EXPECT_EQ(one.count(), 1);
  EXPECT_EQ(one.reason(),
            "decode_speedup is 2.58, but one round has no interval: it needs at least 2 repeats "
            "(evaluate.performance.repeats)");
  // 12.7 standard errors to either side.
  const v1::GateResult two = SpeedupGate({2.5, 2.6}, 0.95);
  EXPECT_EQ(two.outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_NEAR(two.interval().low(), std::sqrt(2.5 * 2.6) * std::exp(-12.7062047 * std::log(2.6 / 2.5) / 2), 1e-6);
  EXPECT_EQ(SpeedupGate({2.5, 2.6}, 0.99).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  const std::vector<double> five = {1.9, 2.0, 2.1, 1.95, 2.05};
  EXPECT_EQ(SpeedupGate(five, 0.95).outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_LT(SpeedupGate(five, 0.99).interval().low(), SpeedupGate(five, 0.95).interval().low());
  EXPECT_EQ(SpeedupGate(five, 0.999).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_DOUBLE_EQ(SpeedupGate(five, 0.99).interval().confidence(), 0.99);
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

// Whatever the gates look at, a figure that is no number keeps a report from passing.
TEST(VerdictTest, AFigureThatIsNoNumberNeverPasses) {
  const v1::Report sound = Parse<v1::Report>(kReport);
  EXPECT_EQ(VerdictOf(sound), v1::VERDICT_PASS);
  const std::function<void(v1::Report&, double)> breaks[] = {
      [](v1::Report& report, double value) { report.mutable_perplexity(0)->set_value(value); },
      [](v1::Report& report, double value) { report.mutable_perplexity(1)->set_value(value); },
      [](v1::Report& report, double value) { report.mutable_divergence()->set_kl_mean(value); },
      [](v1::Report& report, double value) { report.mutable_divergence()->set_kl_p99(value); },
      [](v1::Report& report, double value) { report.mutable_divergence()->set_top1_agreement(value); },
      [](v1::Report& report, double value) { report.add_tasks()->add_metrics()->set_value(value); },
      [](v1::Report& report, double value) { report.add_performance()->set_tokens_per_second(value); },
      [](v1::Report& report, double value) { report.add_speedups()->set_value(value); },
  };
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const auto& put : breaks) {
      v1::Report report = sound;
      put(report, value);
      EXPECT_EQ(VerdictOf(report), v1::VERDICT_FAIL) << report.ShortDebugString();
      v1::Recipe recipe;
      ASSERT_TRUE(JudgeReport(recipe, {}, report).ok());
      EXPECT_EQ(report.verdict(), v1::VERDICT_FAIL);
    }
  }
}

// Every gate whose figure is no number fails, in either direction.
TEST(EvaluateGateTest, NoGatePassesOnWhatIsNoNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  v1::Report report = TaskReport(200, 12, 0);
  for (v1::TaskResult::Item& item : *report.mutable_tasks(1)->mutable_items()) (*item.mutable_scores())["acc"] = nan;
  report.mutable_tasks(1)->mutable_metrics(0)->set_value(nan);
  report.mutable_divergence()->set_kl_mean(nan);
  report.mutable_divergence()->set_kl_p50(nan);
  report.mutable_size()->set_ratio(nan);
  report.clear_speedups();
  v1::SpeedupResult& speedup = *report.add_speedups();
  speedup.set_kind("decode");
  speedup.set_value(nan);
  speedup.set_rounds(5);
  for (const char* metric :
       {"task.piqa_drop", "task.piqa", "task_accuracy_drop", "kl_mean", "kl_p50", "size_ratio", "decode_speedup"}) {
    for (const char* op : {" <= 1000", " >= -1000", " < 1000", " > -1000"}) {
      EXPECT_EQ(Evaluate(std::string(metric) + op, report).outcome(), v1::GATE_OUTCOME_FAIL) << metric << op;
    }
  }
}

// Twelve of 200 lost, none won: the drop is 0.06, Tango's interval 0.035 to 0.102.
TEST(EvaluateGateTest, ADropIsDecidedByItsPairedInterval) {
  const v1::Report report = TaskReport(200, 12, 0);
  EXPECT_EQ(Evaluate("task.piqa_drop <= 0.12", report).outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(Evaluate("task.piqa_drop <= 0.03", report).outcome(), v1::GATE_OUTCOME_FAIL);
  const v1::GateResult between = Evaluate("task.piqa_drop <= 0.05", report);
  EXPECT_EQ(between.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(between.count(), 200);
  EXPECT_EQ(between.unit(), "items");
  EXPECT_EQ(between.baseline(), "dense");
  EXPECT_NEAR(between.interval().low(), 0.035, 0.001);
  EXPECT_NEAR(between.interval().high(), 0.102, 0.001);
  EXPECT_THAT(between.reason(), HasSubstr("task.piqa_drop is 0.06, but 95 % interval 0.03"));
  EXPECT_THAT(between.reason(), HasSubstr("over 200 items: on both sides of 0.05"));
}

TEST(EvaluateGateTest, NoFlipsOnFewItemsDecideNothingTight) {
  EXPECT_EQ(Evaluate("task.piqa_drop <= 0.02", TaskReport(20, 0, 0)).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(Evaluate("task.piqa_drop <= 0.02", TaskReport(400, 0, 0)).outcome(), v1::GATE_OUTCOME_PASS);
}

// Two tasks with the same drop and spread: the mean's interval is narrower by sqrt(2).
TEST(EvaluateGateTest, SeveralTasksDecideTogether) {
  v1::Report report = TaskReport(200, 12, 4);
  const v1::GateResult one = Evaluate("task_accuracy_drop <= 0.05", report);
  AddTask(report, "copa", "reasoning", 200, 12, 4);
  AddTask(report, "lama", "knowledge", 200, 60, 0);
  const v1::GateResult two = Evaluate("ability.reasoning_drop <= 0.05", report);
  EXPECT_NEAR(two.value(), one.value(), 1e-12);
  EXPECT_EQ(two.count(), 400);
  EXPECT_NEAR((one.interval().high() - one.value()) / (two.interval().high() - two.value()), std::sqrt(2), 1e-9);
  const v1::GateResult knowledge = Evaluate("ability.knowledge_drop <= 0.05", report);
  EXPECT_EQ(knowledge.outcome(), v1::GATE_OUTCOME_FAIL);
  EXPECT_NEAR(Evaluate("task_accuracy_drop <= 0.05", report).value(), (0.04 + 0.04 + 0.3) / 3, 1e-12);
}

TEST(EvaluateGateTest, APerplexityRatioHasTheIntervalOfItsBlocks) {
  v1::Report report = Parse<v1::Report>(kReport);
  report.mutable_perplexity(1)->mutable_windows(0)->set_nll_sum(250.572864);
  report.mutable_perplexity(1)->mutable_windows(1)->set_nll_sum(254.572864);
  const v1::GateResult result = Evaluate("perplexity_ratio <= 1.3", report);
  // Two blocks, one degree of freedom: t is 12.7.
  EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_NEAR(std::log(result.interval().high() / result.value()), 12.7062 * 0.02, 1e-4);
  EXPECT_EQ(result.unit(), "blocks of text");
}

TEST(EvaluateGateTest, OneBlockOfTextDecidesNothing) {
  v1::Report report = Parse<v1::Report>(kReport);
  for (v1::PerplexityResult& perplexity : *report.mutable_perplexity()) perplexity.mutable_windows()->RemoveLast();
  const v1::GateResult result = Evaluate("perplexity_ratio <= 1000", report);
  EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_THAT(result.reason(), HasSubstr("interval 0 to anything over 1 blocks of text"));
}

TEST(EvaluateGateTest, AnEarlierJobIsTheBaseline) {
  v1::Recipe recipe = Parse<v1::Recipe>(kRecipe);
  recipe.mutable_gating()->set_baseline("job:label=release");
  v1::Report earlier = TaskReport(200, 12, 0), now = TaskReport(200, 14, 0);
  earlier.set_job_id("j-1");
  const absl::StatusOr<Gate> gate = ParseGate("task.piqa_drop <= 0.05");
  ASSERT_TRUE(gate.ok());
  EXPECT_THAT(GateBaselines(recipe), IsEmpty());
  recipe.add_gates("task.piqa_drop <= 0.05");
  recipe.add_gates("perplexity_ratio <= 1.01 vs job:7");
  recipe.add_gates("kl_mean <= 1");
  EXPECT_THAT(GateBaselines(recipe), ElementsAre("job:label=release", "job:7"));
  const v1::GateResult missing = EvaluateGate(*gate, recipe, now, {}, 0.95);
  EXPECT_EQ(missing.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(missing.reason(), "the report of job:label=release is not here");
  const v1::GateResult result = EvaluateGate(*gate, recipe, now, {{"job:label=release", earlier}}, 0.95);
  EXPECT_EQ(result.baseline(), "job:j-1");
  // Of items 12 and 13 the earlier job has one right, this one none.
  EXPECT_NEAR(result.value(), 0.005, 1e-12);
  EXPECT_EQ(result.outcome(), v1::GATE_OUTCOME_PASS);
  earlier.mutable_tasks(1)->set_hash("other");
  const v1::GateResult other = EvaluateGate(*gate, recipe, now, {{"job:label=release", earlier}}, 0.95);
  EXPECT_EQ(other.outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_THAT(other.reason(), HasSubstr("two protocols"));
}

TEST(EvaluateGateTest, AModelAsItIsIsComparedWithAnEarlierJob) {
  v1::Report now = TaskReport(200, 12, 0), earlier = now;
  now.mutable_tasks()->RemoveLast();
  now.mutable_perplexity()->RemoveLast();
  now.clear_speedups();
  const absl::StatusOr<Gate> gate = ParseGate("task.piqa_drop <= 0.05 vs old.json");
  ASSERT_TRUE(gate.ok());
  const v1::GateResult result = EvaluateGate(*gate, Parse<v1::Recipe>(kRecipe), now, {{"old.json", earlier}}, 0.95);
  EXPECT_NEAR(result.value(), -0.06, 1e-12);
}

TEST(JudgeReportTest, ComparesDenseWithCompressed) {
  v1::Report report = TaskReport(200, 12, 4);
  ASSERT_TRUE(JudgeReport(Parse<v1::Recipe>(kRecipe), {}, report).ok());
  ASSERT_EQ(report.task_comparisons_size(), 1);
  const v1::TaskComparison& task = report.task_comparisons(0);
  EXPECT_EQ(task.lost(), 12);
  EXPECT_EQ(task.won(), 4);
  EXPECT_NEAR(task.mcnemar_p(), 0.0768, 1e-4);
  EXPECT_TRUE(task.right_or_wrong());
  EXPECT_EQ(task.baseline(), "dense");
  ASSERT_EQ(report.perplexity_comparisons_size(), 1);
  EXPECT_NEAR(report.perplexity_comparisons(0).ratio(), 1.25, 1e-12);
}

TEST(JudgeReportTest, AFailureOutweighsWhatIsUndecided) {
  v1::Recipe recipe = Parse<v1::Recipe>(kRecipe);
  v1::Report report = Parse<v1::Report>(kReport);
  ASSERT_TRUE(JudgeReport(recipe, {}, report).ok());
  EXPECT_EQ(report.verdict(), v1::VERDICT_PASS);
  recipe.add_gates("kl_mean <= 1");
  ASSERT_TRUE(JudgeReport(recipe, {}, report).ok());
  EXPECT_EQ(report.verdict(), v1::VERDICT_PASS);
  recipe.add_gates("decode_speedup >= 1.4");
  ASSERT_TRUE(JudgeReport(recipe, {}, report).ok());
  EXPECT_EQ(report.verdict(), v1::VERDICT_INCONCLUSIVE);
  recipe.add_gates("size_ratio >= 4");
  ASSERT_TRUE(JudgeReport(recipe, {}, report).ok());
  EXPECT_EQ(report.verdict(), v1::VERDICT_FAIL);
  ASSERT_EQ(report.gates_size(), 3);
  EXPECT_EQ(report.gates(2).expression(), "size_ratio >= 4");
}

TEST(GateWarningsTest, FewRepeatsAreTold) {
  v1::Recipe recipe = Parse<v1::Recipe>(kRecipe);
  recipe.mutable_evaluate()->mutable_performance()->set_repeats(1);
  EXPECT_THAT(GateWarnings(recipe), IsEmpty());
  recipe.add_gates("decode_speedup >= 1.2");
  ASSERT_EQ(GateWarnings(recipe).size(), 1);
  EXPECT_EQ(GateWarnings(recipe)[0].code(), "FEW_REPEATS");
  EXPECT_THAT(GateWarnings(recipe)[0].message(),
              HasSubstr("will be inconclusive: one round has no interval; it needs at least 2 repeats, better 3"));
  recipe.mutable_evaluate()->mutable_performance()->set_repeats(2);
  ASSERT_EQ(GateWarnings(recipe).size(), 1);
  EXPECT_THAT(GateWarnings(recipe)[0].message(), HasSubstr("reaches out by 9.0 standard deviations of a round"));
  recipe.mutable_evaluate()->mutable_performance()->clear_repeats();
  EXPECT_THAT(GateWarnings(recipe), IsEmpty());
  recipe.mutable_gating()->set_confidence(0.99);
  EXPECT_THAT(GateWarnings(recipe), IsEmpty());
  recipe.mutable_evaluate()->mutable_performance()->set_repeats(3);
  ASSERT_EQ(GateWarnings(recipe).size(), 1);
  EXPECT_THAT(GateWarnings(recipe)[0].message(), HasSubstr("take at least 4"));
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
