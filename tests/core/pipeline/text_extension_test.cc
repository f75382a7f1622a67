#include "core/pipeline/text_extension.h"

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/report/report_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/pipeline/job_fixture.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kScored = 255;

// A text of windows of one block each; compression adds about 0.03 nats a token, a little more in some than in others.
ExtendableText Text(int64_t windows) {
  ExtendableText text;
  text.protocol = {.dataset = "wiki", .window = kScored + 1, .stride = kScored + 1, .max_windows = 4};
  for (int64_t i = 0; i < windows; ++i) {
    ScoredWindow window;
    window.start = window.begin = i * (kScored + 1);
    window.score_begin = window.start + 1;
    window.score_end = window.score_begin + kScored;
    window.tokens = kScored + 1;
    text.whole.windows.push_back(window);
  }
  text.whole.divisor = text.whole.scored();
  text.whole.available = windows;
  return text;
}

ScoredPairs Score(int64_t windows) {
  ScoredPairs scores;
  for (int64_t i = 0; i < windows; ++i) {
    scores.dense_nlls.push_back(3.0 * kScored);
    scores.nlls.push_back((3.03 + (i % 2 == 0 ? 0.03 : -0.03)) * kScored);
  }
  scores.seconds = {1, 2};
  return scores;
}

class TextExtensionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    recipe_.add_stages();
    recipe_.mutable_gating()->set_on_inconclusive("extend");
    recipe_.mutable_evaluate()->add_perplexity()->set_dataset("wiki");
    recipe_.mutable_evaluate()->mutable_perplexity(0)->set_max_windows(4);
    *report_.mutable_recipe() = recipe_;
    ScoredWindows first = text_.whole;
    first.windows.resize(4);
    first.divisor = first.scored();
    const ScoredPairs scores = Score(4);
    *report_.add_perplexity() = MakePerplexityResult("dense", text_.protocol, first, scores.dense_nlls, 5);
    *report_.add_perplexity() = MakePerplexityResult("compressed", text_.protocol, first, scores.nlls, 5);
  }
  absl::Status Extend(const BaselineReports& baselines = {}) {
    const TextExtending extending = {.texts = {text_},
                                     .score =
                                         [this](const ExtendableText&, int64_t windows) {
                                           asked_.push_back(windows);
                                           return Score(windows);
                                         },
                                     .tell = [this](const std::string& message) { told_.push_back(message); },
                                     .baselines = baselines};
    return ExtendTextsUntilDecided(recipe_, extending, report_);
  }

  const ExtendableText text_ = Text(50);
  v1::Recipe recipe_;
  v1::Report report_;
  std::vector<int64_t> asked_;
  std::vector<std::string> told_;
};

TEST_F(TextExtensionTest, GoesOnUntilTheGateIsDecided) {
  recipe_.add_gates("perplexity_ratio <= 1.06");
  ASSERT_TRUE(Extend().ok());
  EXPECT_THAT(asked_, ElementsAre(4, 8, 16));
  EXPECT_EQ(told_[0], "wiki: a gate is not decided on 4 of 50 windows; going on to 8");
  ASSERT_EQ(report_.gates_size(), 1);
  const v1::GateResult& gate = report_.gates(0);
  EXPECT_EQ(gate.outcome(), v1::GATE_OUTCOME_PASS);
  ASSERT_EQ(gate.looks_size(), 3);
  EXPECT_EQ(gate.looks(2).windows(), 16);
  EXPECT_EQ(gate.looks(2).count(), 16);
  EXPECT_EQ(gate.available(), 50);
  for (const auto& look : gate.looks()) EXPECT_GT(look.interval().confidence(), 0.95);
  // What the gate says is what the report holds.
  for (const v1::PerplexityResult& result : report_.perplexity()) {
    EXPECT_EQ(result.windows_size(), 16);
    EXPECT_EQ(result.available_windows(), 50);
    EXPECT_EQ(result.looks(), 3);
    EXPECT_THAT(result.protocol(), HasSubstr("the first 16"));
  }
  EXPECT_EQ(report_.perplexity(0).hash(), report_.perplexity(1).hash());
  EXPECT_EQ(report_.perplexity(1).seconds(), 5 + 2 * 2);
  ASSERT_TRUE(JudgeReport(recipe_, {}, report_).ok());
  EXPECT_EQ(report_.gates(0).looks_size(), 3);
  EXPECT_EQ(report_.verdict(), v1::VERDICT_PASS);
  const std::string table = ReportToTable(report_, 160);
  EXPECT_THAT(table, HasSubstr("16 blocks of text in 16 windows"));
  EXPECT_THAT(table, HasSubstr("wiki: 16 of 50 windows in 3 looks."));
  EXPECT_THAT(ReportToJunit(report_), HasSubstr("look 3 of 3: 16 blocks of text"));
}

TEST_F(TextExtensionTest, EndsWhereTheTextIsUsedUp) {
  recipe_.add_gates("perplexity_ratio <= 1.0304");
  ASSERT_TRUE(Extend().ok());
  EXPECT_THAT(asked_, ElementsAre(4, 8, 16, 50));
  EXPECT_EQ(report_.gates(0).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  // All windows are the protocol without a limit.
  Protocol whole = text_.protocol;
  whole.max_windows = 0;
  EXPECT_EQ(report_.perplexity(0).hash(), whole.Hash());
  EXPECT_EQ(ExtendedProtocol(text_.protocol, 0, report_).max_windows, 0);
}

TEST_F(TextExtensionTest, NothingIsScoredWhereEverythingIsDecided) {
  recipe_.add_gates("perplexity_ratio <= 1.5");
  ASSERT_TRUE(Extend().ok());
  EXPECT_THAT(asked_, ElementsAre(4));
  EXPECT_EQ(report_.perplexity(0).looks(), 0);
  EXPECT_EQ(ExtendedProtocol(text_.protocol, 0, report_).max_windows, 4);
}

TEST_F(TextExtensionTest, EarlierJobsAreComparedOnTheWindowsTheyHave) {
  recipe_.add_gates("perplexity_ratio <= 1.06");
  recipe_.add_gates("perplexity_ratio <= 1.2 vs job:7");
  v1::Report earlier;
  earlier.set_job_id("7");
  *earlier.add_perplexity() = report_.perplexity(0);
  ASSERT_TRUE(Extend({{"job:7", earlier}}).ok());
  EXPECT_EQ(report_.perplexity(0).windows_size(), 16);
  ASSERT_TRUE(JudgeReport(recipe_, {{"job:7", earlier}}, report_).ok());
  EXPECT_EQ(report_.gates(1).baseline(), "job:7");
  EXPECT_EQ(report_.gates(1).count(), 4);
  EXPECT_EQ(report_.gates(1).outcome(), v1::GATE_OUTCOME_PASS);
}

// ---- as a stage of jobs

// Cancels when it is told that a text goes on.
class StoppingSink final : public RecordingSink {
 public:
  void Emit(const v1::Event& event) override {
    RecordingSink::Emit(event);
    if (absl::StrContains(event.message().text(), "going on to 16")) token.Cancel();
  }
  CancellationToken token;
};

class TextExtensionRunTest : public JobFixture {
 protected:
  void SetUp() override {
    JobFixture::SetUp();
    // The same from its beginning to its end.
    std::string text;
    for (int i = 0; i < 400; ++i) absl::StrAppend(&text, "The quick brown fox number ", i * 7919 % 1000, " jumps. ");
    ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "text" / "foxes.txt", text).ok());
    // No stretch of it is better known than others from calibration.
    v1::QuantizeStage& stage = *recipe_.mutable_stages(0)->mutable_quantize();
    stage.mutable_rtn()->set_bits(3);
    stage.mutable_rtn()->set_group_size(32);
    recipe_.clear_calibration();
    recipe_.clear_gates();
  }
  v1::Report Run(const std::string& workspace, RecordingSink& sink) {
    absl::StatusOr<v1::Report> report = RunRecipe(recipe_, Options(workspace), sink);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : v1::Report();
  }
  v1::Report Run(const std::string& workspace) {
    RecordingSink sink;
    return Run(workspace, sink);
  }
  static std::string Told(const RecordingSink& sink) {
    std::string all;
    for (const v1::Event& event : sink.events) absl::StrAppend(&all, event.message().text(), "\n");
    return all;
  }
  // The whole text's figures, measured in one go, with a gate that sits on them: no look decides it.
  v1::Report WholeWithGate() {
    recipe_.mutable_evaluate()->mutable_perplexity(0)->clear_max_windows();
    const v1::Report whole = Run("whole");
    recipe_.mutable_evaluate()->mutable_perplexity(0)->set_max_windows(4);
    recipe_.mutable_gating()->set_on_inconclusive("extend");
    recipe_.add_gates(absl::StrCat("kl_mean <= ", whole.divergence().kl_mean()));
    return whole;
  }
};

TEST_F(TextExtensionRunTest, WindowByWindowIsTheWholeText) {
  const v1::Report whole = WholeWithGate();
  const v1::Report report = Run("extended");
  ASSERT_EQ(report.gates_size(), 1);
  EXPECT_EQ(report.gates(0).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_GT(report.gates(0).looks_size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(report.perplexity(i).hash(), whole.perplexity(i).hash());
    EXPECT_EQ(report.perplexity(i).nll_sum(), whole.perplexity(i).nll_sum());
    EXPECT_EQ(report.perplexity(i).windows_size(), whole.perplexity(i).windows_size());
  }
  EXPECT_EQ(report.divergence().kl_mean(), whole.divergence().kl_mean());
  EXPECT_EQ(report.divergence().kl_p99(), whole.divergence().kl_p99());
  EXPECT_EQ(report.divergence().kl_mean_interval().high(), whole.divergence().kl_mean_interval().high());
  EXPECT_EQ(report.divergence().probability_loyalty(), whole.divergence().probability_loyalty());
}

TEST_F(TextExtensionRunTest, ASecondJobTakesTheWindowsFromTheCache) {
  WholeWithGate();
  RecordingSink first, second;
  const v1::Report report = Run("first", first), again = Run("second", second);
  EXPECT_THAT(Told(first), ::testing::Not(HasSubstr("answered from the cache")));
  EXPECT_THAT(Told(second), HasSubstr("foxes: 4 windows answered from the cache"));
  EXPECT_EQ(report.divergence().kl_mean(), again.divergence().kl_mean());
}

TEST_F(TextExtensionRunTest, ABrokenOffJobGoesOn) {
  WholeWithGate();
  StoppingSink sink;
  RunOptions options = Options("broken");
  options.cancellation = &sink.token;
  EXPECT_EQ(RunRecipe(recipe_, options, sink).status().code(), absl::StatusCode::kCancelled);
  RecordingSink later;
  const v1::Report report = Run("broken", later);
  EXPECT_THAT(Told(later), HasSubstr("foxes: 4 windows answered from the cache"));
  const v1::Report other = Run("unbroken");
  EXPECT_EQ(report.divergence().kl_mean(), other.divergence().kl_mean());
  EXPECT_EQ(report.gates(0).looks_size(), other.gates(0).looks_size());
}

TEST_F(TextExtensionRunTest, ThePlanCountsTheWholeText) {
  WholeWithGate();
  absl::StatusOr<PlanResult> plan = MakePlan(recipe_, context_);
  ASSERT_TRUE(plan.ok() && plan->violations.empty());
  std::string names;
  for (const v1::PlannedStage& stage : plan->plan.stages()) {
    absl::StrAppend(&names, stage.name(), "\n");
    if (stage.name() != "evaluate:extend:text") continue;
    EXPECT_THAT(stage.detail(), HasSubstr("further tokens of text"));
    EXPECT_GT(stage.seconds(), 0);
    EXPECT_GT(stage.scratch_bytes(), 0);
  }
  EXPECT_THAT(names, HasSubstr("evaluate:extend:text"));
  recipe_.set_gates(0, "perplexity_ratio <= 1.01");
  plan = MakePlan(recipe_, context_);
  ASSERT_EQ(plan->plan.powers_size(), 1);
  EXPECT_THAT(plan->plan.powers(0).text(), HasSubstr("going on from"));
}

}  // namespace
}  // namespace tersor
