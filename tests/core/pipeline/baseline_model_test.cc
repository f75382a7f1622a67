// A smaller dense rival beside a job's models.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/compare/comparison.h"
#include "core/report/report_format.h"
#include "gmock/gmock.h"
#include "tests/core/pipeline/job_fixture.h"

namespace tersor {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class BaselineModelTest : public JobFixture {
 protected:
  void SetUp() override {
    JobFixture::SetUp();
    ASSERT_TRUE(testing::WriteTinyModel(folder_ / "small", {.layers = 1, .width = 32, .seed = 2}).ok());
    std::string items;
    for (int i = 0; i < 12; ++i) {
      absl::StrAppend(&items, R"({"id": "c)", i, R"(", "context": "The fox )", i,
                      R"(", "choices": ["jumps.", "sleeps."], "gold": )", i % 2, "}\n");
    }
    std::filesystem::create_directories(folder_ / "data" / "tasks");
    ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "tasks" / "foxes.jsonl", items).ok());
    ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "tasks" / "foxes.yaml",
                                    "name: foxes\nversion: 1\nscorer: choices\nmetrics: [acc]\n")
                    .ok());
    recipe_.mutable_evaluate()->add_tasks()->set_name("foxes");
    recipe_.mutable_evaluate()->mutable_tasks(0)->set_limit(5);
    recipe_.mutable_evaluate()->set_baseline_model((folder_ / "small").string());
  }
  v1::Report Run(const std::string& workspace) {
    NullEventSink ignored;
    absl::StatusOr<v1::Report> report = RunRecipe(recipe_, Options(workspace), ignored);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : v1::Report();
  }
  PlanResult Plan() { return *MakePlan(recipe_, context_); }
  std::string Fault() {
    const PlanResult plan = Plan();
    if (plan.violations.size() != 1 || plan.violations[0].field != "evaluate.baseline_model") return "";
    return plan.violations[0].description;
  }
  static v1::PlannedStage StageOf(const PlanResult& plan, const std::string& name) {
    for (const v1::PlannedStage& stage : plan.plan.stages()) {
      if (stage.name() == name) return stage;
    }
    ADD_FAILURE() << "no stage " << name;
    return {};
  }
  // A tokenizer of its own, if only by its file's bytes.
  void ChangeTokenizer() {
    const std::filesystem::path file = folder_ / "small" / "tokenizer.json";
    ASSERT_TRUE(WriteFileAtomically(file, absl::StrCat(*ReadFile(file), "\n")).ok());
  }
};

TEST_F(BaselineModelTest, StandsBesideTheOthers) {
  const v1::Report report = Run("work");
  EXPECT_EQ(report.baseline_model().sha256().size(), 64);
  EXPECT_LT(report.baseline_model().parameters(), report.model().parameters());
  ASSERT_EQ(report.perplexity_size(), 3);
  EXPECT_EQ(report.perplexity(2).subject(), "baseline_model");
  EXPECT_EQ(report.perplexity(2).hash(), report.perplexity(0).hash());
  ASSERT_EQ(report.tasks_size(), 3);
  EXPECT_EQ(report.tasks(2).subject(), "baseline_model");
  EXPECT_EQ(report.tasks(2).items_size(), 5);
  // What the model says when it is evaluated by itself.
  recipe_.set_model((folder_ / "small").string());
  recipe_.clear_stages();
  recipe_.clear_calibration();
  recipe_.mutable_evaluate()->clear_baseline_model();
  context_.cache_dir = folder_ / "elsewhere";
  const v1::Report alone = Run("alone");
  EXPECT_EQ(report.perplexity(2).nll_sum(), alone.perplexity(0).nll_sum());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(report.tasks(2).items(i).DebugString(), alone.tasks(0).items(i).DebugString());
  }
  const std::string table = ReportToTable(report, 160);
  EXPECT_THAT(table, HasSubstr("Beside a smaller dense model"));
  EXPECT_THAT(table, Not(HasSubstr("another tokenizer")));
  // It is no third row of the comparisons of dense and compressed.
  EXPECT_EQ(report.task_comparisons_size(), 1);
  EXPECT_EQ(report.perplexity_comparisons_size(), 1);
}

TEST_F(BaselineModelTest, IsPlannedAndAnswersFromTheCache) {
  const PlanResult planned = Plan();
  ASSERT_THAT(planned.violations, IsEmpty());
  std::vector<std::string> names;
  for (const v1::PlannedStage& stage : planned.plan.stages()) {
    names.push_back(stage.name());
    EXPECT_GT(stage.seconds(), 0);
    EXPECT_GT(stage.peak_memory_bytes(), 0);
  }
  EXPECT_THAT(names, Contains("evaluate:baseline_model:0"));
  EXPECT_THAT(names, Contains("evaluate:baseline_model:task:foxes"));
  Run("one");
  const v1::Report second = Run("two");
  EXPECT_EQ(second.tasks(2).cached(), 5);
  for (const v1::StageReport& stage : second.stages()) {
    if (absl::StartsWith(stage.name(), "evaluate:baseline_model")) {
      EXPECT_TRUE(stage.reused()) << stage.name();
    }
  }
}

TEST_F(BaselineModelTest, ItsContentIsPartOfTheFingerprintItsPathIsNot) {
  const std::string before = Plan().plan.fingerprint();
  std::filesystem::rename(folder_ / "small", folder_ / "moved");
  recipe_.mutable_evaluate()->set_baseline_model((folder_ / "moved").string());
  EXPECT_EQ(Plan().plan.fingerprint(), before);
  ASSERT_TRUE(testing::WriteTinyModel(folder_ / "moved", {.layers = 1, .width = 32, .seed = 3}).ok());
  EXPECT_NE(Plan().plan.fingerprint(), before);
}

TEST_F(BaselineModelTest, PerplexitiesOfOtherTokenizersAreMarked) {
  ChangeTokenizer();
  v1::PerplexityEvaluation& words = *recipe_.mutable_evaluate()->add_perplexity();
  words.set_dataset("foxes");
  words.set_convention("words");
  const v1::Report report = Run("work");
  ASSERT_EQ(report.perplexity_size(), 6);
  EXPECT_NE(report.perplexity(4).hash(), report.perplexity(0).hash());
  std::vector<std::string> codes;
  for (const v1::Warning& warning : report.warnings()) codes.push_back(warning.code());
  EXPECT_THAT(codes, Contains("TOKENIZERS_DIFFER"));
  const std::string table = ReportToTable(report, 200);
  EXPECT_THAT(table, HasSubstr("per token of another tokenizer"));
  // The one per token, not the one per word.
  size_t marks = 0;
  for (size_t at = table.find(" *"); at != std::string::npos; at = table.find(" *", at + 1)) ++marks;
  EXPECT_EQ(marks, 2);
}

TEST_F(BaselineModelTest, GoesOnWithTheItemsOfTheOthers) {
  recipe_.clear_gates();
  recipe_.add_gates("task.foxes_drop <= 0.0001");
  recipe_.mutable_gating()->set_on_inconclusive("extend");
  const v1::Report report = Run("work");
  ASSERT_EQ(report.tasks_size(), 3);
  for (const v1::TaskResult& task : report.tasks()) EXPECT_EQ(task.items_size(), 12) << task.subject();
}

TEST_F(BaselineModelTest, IsTimedBesideTheOthers) {
  v1::PerformanceEvaluation& performance = *recipe_.mutable_evaluate()->mutable_performance();
  performance.set_prefill(8);
  performance.set_decode(4);
  performance.set_repeats(2);
  const double before = StageOf(Plan(), "evaluate:performance").seconds();
  const v1::Report report = Run("work");
  std::vector<std::string> subjects;
  for (const v1::PerformanceResult& result : report.performance()) {
    subjects.push_back(absl::StrCat(result.kind(), " ", result.subject()));
    EXPECT_GT(result.tokens_per_second(), 0);
    EXPECT_GT(result.flops_per_token(), 0);
  }
  EXPECT_THAT(subjects, ElementsAre("prefill dense", "prefill compressed", "prefill baseline_model", "decode dense",
                                    "decode compressed", "decode baseline_model"));
  // Of one block, not of two.
  EXPECT_LT(report.performance(2).flops_per_token(), report.performance(0).flops_per_token());
  // A speedup is the compressed model's.
  ASSERT_EQ(report.speedups_size(), 2);
  EXPECT_NEAR(report.speedups(1).value(),
              report.performance(4).tokens_per_second() / report.performance(3).tokens_per_second(),
              report.speedups(1).value());
  const std::string table = ReportToTable(report, 200);
  const std::string own = table.substr(table.find("Beside a smaller dense model"));
  ASSERT_EQ(report.weight_memory_size(), 3);
  EXPECT_EQ(report.weight_memory(2).subject(), "baseline_model");
  EXPECT_LT(report.weight_memory(2).computed_bytes(), report.weight_memory(0).computed_bytes());
  EXPECT_EQ(report.weight_memory(1).computed_bytes(), report.size().memory_bytes());
  EXPECT_EQ(report.weight_memory(0).computed_bytes(), report.size().dense_memory_bytes());
  EXPECT_THAT(own, HasSubstr("prefill tokens/s"));
  EXPECT_THAT(own, HasSubstr("decode tokens/s"));
  // The plan counts it.
  recipe_.mutable_evaluate()->clear_baseline_model();
  EXPECT_LT(StageOf(Plan(), "evaluate:performance").seconds(), before);
}

TEST_F(BaselineModelTest, BesideAModelThatIsOnlyEvaluatedThereIsNoSpeedup) {
  recipe_.clear_stages();
  recipe_.clear_calibration();
  recipe_.clear_gates();
  recipe_.mutable_evaluate()->clear_tasks();
  recipe_.mutable_evaluate()->clear_perplexity();
  v1::PerformanceEvaluation& performance = *recipe_.mutable_evaluate()->mutable_performance();
  performance.set_prefill(8);
  performance.set_decode(4);
  performance.set_repeats(1);
  const v1::Report report = Run("work");
  ASSERT_EQ(report.performance_size(), 4);
  EXPECT_EQ(report.performance(1).subject(), "baseline_model");
  EXPECT_EQ(report.speedups_size(), 0);
}

TEST_F(BaselineModelTest, HasARowInComparisons) {
  const v1::Report report = Run("work");
  const auto comparison = CompareReports({{"job", report}}, {});
  ASSERT_TRUE(comparison.ok()) << comparison.status();
  ASSERT_EQ(comparison->models_size(), 3);
  EXPECT_TRUE(comparison->models(2).baseline_model());
  EXPECT_EQ(comparison->models(2).label(), absl::StrCat("baseline ", report.baseline_model().name()));
  for (int i = 0; i < comparison->figures_size(); ++i) {
    if (comparison->figures(i).name() != "task.foxes.acc") continue;
    EXPECT_EQ(comparison->models(2).values(i).value(), report.tasks(2).metrics(0).value());
    EXPECT_TRUE(comparison->models(2).values(i).has_change_interval());
  }
  // Also where its hashes are others.
  ChangeTokenizer();
  const auto apart = CompareReports({{"job", Run("apart")}}, {});
  ASSERT_TRUE(apart.ok()) << apart.status();
  EXPECT_EQ(apart->warnings(0).code(), "TOKENIZERS_DIFFER");
}

TEST_F(BaselineModelTest, APromptLongerThanItsContextIsAFault) {
  recipe_.mutable_evaluate()->mutable_performance()->set_prefill(96);
  const std::filesystem::path file = folder_ / "small" / "config.json";
  const std::string config = *ReadFile(file);
  const std::string key = "\"max_position_embeddings\":";
  const size_t at = config.find(key);
  ASSERT_NE(at, std::string::npos);
  const size_t end = config.find_first_of(",}\n", at);
  ASSERT_TRUE(WriteFileAtomically(file, absl::StrCat(config.substr(0, at), key, " 80", config.substr(end))).ok());
  EXPECT_THAT(Fault(), HasSubstr("performance.prefill: is 96; it lies between 1 and 80"));
}

TEST_F(BaselineModelTest, FaultsNameTheField) {
  recipe_.mutable_evaluate()->set_baseline_model((folder_ / "nothing").string());
  EXPECT_THAT(Fault(), HasSubstr("there is no such file or folder"));
  recipe_.mutable_evaluate()->set_baseline_model((folder_ / "small").string());
  context_.allowed_roots = {folder_ / "model"};
  EXPECT_THAT(Fault(), HasSubstr("outside the allowed model folders"));
  context_.allowed_roots.clear();
  std::filesystem::remove(folder_ / "small" / "tokenizer.json");
  EXPECT_THAT(Fault(), HasSubstr("tokenizer.json"));
  ASSERT_TRUE(testing::WriteTinyModel(folder_ / "small").ok());
  recipe_.mutable_evaluate()->clear_tasks();
  recipe_.mutable_evaluate()->clear_perplexity();
  EXPECT_THAT(Fault(), HasSubstr("there is nothing to measure it on"));
}

}  // namespace
}  // namespace tersor
