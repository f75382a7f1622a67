// Tasks through plan and run: a tiny model, two small sets.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/report/report_format.h"
#include "gmock/gmock.h"
#include "tests/core/pipeline/job_fixture.h"

namespace tersor {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TaskRunTest : public JobFixture {
 protected:
  void SetUp() override {
    JobFixture::SetUp();
    std::string choices, cloze;
    for (int i = 0; i < 12; ++i) {
      absl::StrAppend(&choices, R"({"id": "c)", i, R"(", "context": "The fox number )", i * i,
                      R"(", "choices": ["jumps.", "sleeps a while."], "gold": )", i % 2, "}\n");
      absl::StrAppend(&cloze, R"({"id": "l)", i, R"(", "context": "The quick brown fox )", i,
                      R"(", "target": " jumps"})", "\n");
    }
    Write("tasks/foxes.jsonl", choices);
    Write("tasks/foxes.yaml", "name: foxes\nversion: 1\nscorer: choices\nmetrics: [acc, acc_norm]\n");
    Write("tasks/lambada_openai.jsonl", cloze);
    Write("tasks/triviaqa.jsonl", R"({"id": "t", "context": "Who jumps?", "target": " the fox"})");
    recipe_.mutable_evaluate()->clear_perplexity();
    recipe_.clear_calibration();
    recipe_.mutable_stages(0)->mutable_quantize()->mutable_rtn()->set_bits(3);
    recipe_.mutable_evaluate()->add_tasks()->set_name("foxes");
    recipe_.mutable_evaluate()->add_tasks()->set_name("lambada_openai");
  }
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / "data" / name).parent_path());
    ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / name, text).ok());
  }
  std::vector<std::string> Fields() {
    const auto plan = MakePlan(recipe_, context_);
    EXPECT_TRUE(plan.ok()) << plan.status();
    std::vector<std::string> fields;
    for (const FieldViolation& one : plan->violations) fields.push_back(one.field);
    return fields;
  }
};

TEST_F(TaskRunTest, BothModelsAnswerEveryItem) {
  RecordingSink sink;
  const auto report = RunRecipe(recipe_, Options("work"), sink);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->tasks_size(), 4);
  EXPECT_EQ(report->tasks(0).subject(), "dense");
  EXPECT_EQ(report->tasks(3).subject(), "compressed");
  for (const v1::TaskResult& task : report->tasks()) {
    EXPECT_EQ(task.items_size(), 12);
    EXPECT_EQ(task.cached(), 0);
    EXPECT_EQ(task.items(0).loglikelihoods_size(), task.task() == "foxes" ? 2 : 1);
  }
  EXPECT_EQ(report->tasks(0).hash(), report->tasks(2).hash());
  EXPECT_NE(report->tasks(0).items(3).loglikelihoods(0), report->tasks(2).items(3).loglikelihoods(0));
  EXPECT_THAT(ReportToTable(*report, 120), HasSubstr("acc_norm"));
}

TEST_F(TaskRunTest, AnotherJobAnswersFromTheCacheAndSaysSo) {
  NullEventSink ignored;
  const auto first = RunRecipe(recipe_, Options("one"), ignored);
  ASSERT_TRUE(first.ok()) << first.status();
  RecordingSink sink;
  const auto second = RunRecipe(recipe_, Options("two"), sink);
  ASSERT_TRUE(second.ok());
  std::vector<std::string> messages;
  for (const v1::Event& event : sink.events) {
    if (event.has_message()) messages.push_back(event.message().text());
  }
  EXPECT_THAT(messages, Contains("foxes, compressed: 12 of 12 items answered from the cache"));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(second->tasks(i).cached(), 12);
    for (int j = 0; j < 12; ++j) {
      EXPECT_EQ(second->tasks(i).items(j).DebugString(), first->tasks(i).items(j).DebugString());
    }
  }
  // Fewer items are a part of what is known.
  recipe_.mutable_evaluate()->mutable_tasks(0)->set_limit(5);
  const auto third = RunRecipe(recipe_, Options("three"), ignored);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(third->tasks(0).cached(), 5);
  // The compressed model is the same whatever else its recipe evaluates, and another where the stages differ.
  EXPECT_EQ(third->tasks(2).subject(), "compressed");
  EXPECT_EQ(third->tasks(2).cached(), 5);
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_rtn()->set_bits(2);
  const auto other = RunRecipe(recipe_, Options("four"), ignored);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other->tasks(0).cached(), 5);
  EXPECT_EQ(other->tasks(2).cached(), 0);
}

TEST_F(TaskRunTest, ThreadsDoNotChangeABit) {
  NullEventSink ignored;
  context_.cache_dir.clear();
  std::string first;
  for (const int threads : {1, 2, 3}) {
    context_.threads = threads;
    const auto report = RunRecipe(recipe_, Options(absl::StrCat("w", threads)), ignored);
    ASSERT_TRUE(report.ok()) << report.status();
    std::string items;
    for (const v1::TaskResult& task : report->tasks()) {
      for (const auto& item : task.items()) {
        for (const double value : item.loglikelihoods())
          items.append(reinterpret_cast<const char*>(&value), sizeof(value));
      }
    }
    if (first.empty()) first = items;
    EXPECT_EQ(items, first) << threads;
  }
}

TEST_F(TaskRunTest, AModelCanBeEvaluatedAsItIs) {
  NullEventSink ignored;
  recipe_.clear_stages();
  recipe_.clear_gates();
  const auto report = RunRecipe(recipe_, Options("work"), ignored);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->tasks_size(), 2);
}

TEST_F(TaskRunTest, GenerationTasksRun) {
  NullEventSink ignored;
  recipe_.mutable_evaluate()->clear_tasks();
  recipe_.mutable_evaluate()->add_tasks()->set_name("triviaqa");
  const auto report = RunRecipe(recipe_, Options("work"), ignored);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->tasks(0).metrics(0).name(), "exact_match");
}

TEST_F(TaskRunTest, ChatTemplatesChangeTheProtocol) {
  NullEventSink ignored;
  v1::TaskEvaluation& chat = *recipe_.mutable_evaluate()->add_tasks();
  chat.set_name("foxes");
  chat.set_apply_chat_template(true);
  const auto report = RunRecipe(recipe_, Options("work"), ignored);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->tasks_size(), 6);
  EXPECT_NE(report->tasks(0).hash(), report->tasks(2).hash());
  EXPECT_THAT(report->tasks(2).protocol(), HasSubstr("chat template"));
}

TEST_F(TaskRunTest, SuitesLeaveOutWhatHasNoData) {
  recipe_.mutable_evaluate()->mutable_suite()->set_name("quick");
  const auto plan = MakePlan(recipe_, context_);
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->violations.empty()) << ViolationsToStatus(plan->violations);
  int left_out = 0;
  for (const v1::Warning& warning : plan->plan.warnings()) left_out += warning.code() == "SUITE_TASK_WITHOUT_DATA";
  EXPECT_EQ(left_out, 5);
}

TEST_F(TaskRunTest, SuitesSayWhichOfTheirSetsAreSamples) {
  recipe_.mutable_evaluate()->mutable_suite()->set_name("quick");
  const auto samples = [&](int items) {
    std::string lines;
    for (int i = 0; i < items; ++i) {
      absl::StrAppend(&lines, R"({"id": "a)", i, R"(", "context": "Question: fox )", i,
                      R"(?\nAnswer:", "choices": ["jumps.", "sleeps."], "gold": 0})", "\n");
    }
    Write("tasks/arc_easy.jsonl", lines);
    const auto plan = MakePlan(recipe_, context_);
    EXPECT_TRUE(plan.ok() && plan->violations.empty());
    int64_t count = 0;
    for (const v1::Warning& warning : plan->plan.warnings()) count += warning.code() == "TASK_OF_FEW_ITEMS";
    return count;
  };
  EXPECT_EQ(samples(5), 1);
  EXPECT_EQ(samples(60), 0);
}

TEST_F(TaskRunTest, ThePlanSaysWhatGatesOnTasksCanDecide) {
  std::string items;
  for (int i = 0; i < 200; ++i) {
    absl::StrAppend(&items, R"({"id": "c)", i, R"(", "context": "The fox )", i,
                    R"(", "choices": ["jumps.", "sleeps."], "gold": 0})", "\n");
  }
  Write("tasks/foxes.jsonl", items);
  recipe_.mutable_evaluate()->mutable_tasks()->RemoveLast();
  recipe_.clear_gates();
  recipe_.add_gates("task_accuracy_drop <= 0.02");
  recipe_.add_gates("task.foxes.acc_norm_drop <= 0.2");
  const auto planned = MakePlan(recipe_, context_);
  ASSERT_TRUE(planned.ok()) << planned.status();
  ASSERT_TRUE(planned->violations.empty()) << ViolationsToStatus(planned->violations);
  const v1::Plan& plan = planned->plan;
  ASSERT_EQ(plan.powers_size(), 2);
  EXPECT_EQ(plan.powers(0).count(), 200);
  // 200 items resolve about four points; two need five times as many, and as much more time.
  EXPECT_NEAR(plan.powers(0).detectable(), 0.044, 0.001);
  EXPECT_EQ(plan.powers(0).needed(), 979);
  double seconds = 0;
  for (const v1::PlannedStage& stage : plan.stages()) {
    if (stage.name().find("task:foxes") != std::string::npos) seconds += stage.seconds();
  }
  EXPECT_NEAR(plan.powers(0).needed_seconds(), 979 * seconds / 200, 1e-9);
  EXPECT_GT(plan.powers(1).decided(), 0.99);
  std::vector<std::string> warnings;
  for (const v1::Warning& warning : plan.warnings()) warnings.push_back(warning.code() + " " + warning.message());
  EXPECT_THAT(warnings, Contains(HasSubstr("UNDERPOWERED_GATE \"task_accuracy_drop <= 0.02\" would nearly always be "
                                           "inconclusive"))
                            .Times(1));
}

// Cancels the run when it is told that a task goes on to `items`.
class CancelWhenToldOf final : public RecordingSink {
 public:
  explicit CancelWhenToldOf(std::string words) : words_(std::move(words)) {}
  void Emit(const v1::Event& event) override {
    RecordingSink::Emit(event);
    if (absl::StrContains(event.message().text(), words_)) token.Cancel();
  }
  CancellationToken token;

 private:
  std::string words_;
};

TEST_F(TaskRunTest, UndecidedTasksGoOnAlsoAfterAKill) {
  std::string items;
  for (int i = 0; i < 50; ++i) {
    absl::StrAppend(&items, R"({"id": "c)", i, R"(", "context": "The fox )", i,
                    R"(", "choices": ["jumps.", "sleeps."], "gold": )", i % 2, "}\n");
  }
  Write("tasks/foxes.jsonl", items);
  recipe_.mutable_evaluate()->mutable_tasks(0)->set_limit(6);
  recipe_.clear_gates();
  recipe_.add_gates("task.foxes_drop <= 0.0001");
  recipe_.mutable_gating()->set_on_inconclusive("extend");
  const auto planned = MakePlan(recipe_, context_);
  ASSERT_TRUE(planned.ok() && planned->violations.empty()) << ViolationsToStatus(planned->violations);
  EXPECT_THAT(planned->plan.powers(0).text(), HasSubstr("going on from 6 items in 4 looks, 50 items find"));
  EXPECT_EQ(planned->plan.stages(planned->plan.stages_size() - 1).name(), "evaluate:extend");

  CancelWhenToldOf killer("going on to 24");
  RunOptions options = Options("work");
  options.cancellation = &killer.token;
  EXPECT_EQ(RunRecipe(recipe_, options, killer).status().code(), absl::StatusCode::kCancelled);
  RecordingSink sink;
  const auto resumed = RunRecipe(recipe_, Options("work"), sink);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  context_.cache_dir = folder_ / "elsewhere";
  const auto whole = RunRecipe(recipe_, Options("other"), sink);
  ASSERT_TRUE(whole.ok()) << whole.status();
  for (const v1::Report* report : {&*resumed, &*whole}) {
    ASSERT_EQ(report->gates_size(), 1);
    EXPECT_EQ(report->gates(0).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
    std::vector<int64_t> looks;
    for (const auto& look : report->gates(0).looks()) looks.push_back(look.count());
    EXPECT_THAT(looks, ElementsAre(6, 12, 24, 50));
    EXPECT_EQ(report->tasks(0).items_size(), 50);
    // The other task had no gate to decide.
    EXPECT_EQ(report->tasks(1).items_size(), 12);
  }
  EXPECT_EQ(resumed->gates(0).DebugString(), whole->gates(0).DebugString());
  EXPECT_EQ(resumed->tasks(2).items(40).DebugString(), whole->tasks(2).items(40).DebugString());
  EXPECT_EQ(whole->tasks(0).cached(), 0);
  EXPECT_THAT(ReportToTable(*whole, 140), HasSubstr("Looks"));
  EXPECT_THAT(ReportToJunit(*whole, InconclusiveCase::kFailure), HasSubstr("look 2 of 4"));
  // A finished job answers at once, its looks with it.
  const auto again = RunRecipe(recipe_, Options("other"), sink);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->gates(0).DebugString(), whole->gates(0).DebugString());
}

TEST_F(TaskRunTest, GatesOnWhatNoTaskHasAreFaults) {
  Write("tasks/foxes.suite.yaml", "name: foxes\ndescription: d\ntasks: [{name: foxes, ability: reasoning}]\n");
  recipe_.mutable_evaluate()->mutable_suite()->set_name("foxes");
  recipe_.clear_gates();
  for (const char* gate : {"ability.reasoning_drop <= 0.5", "ability.knowledge_drop <= 0.5", "task.wolves_drop <= 0.5",
                           "task.foxes.f1_drop <= 0.5", "task.foxes.acc_norm >= 0"}) {
    recipe_.add_gates(gate);
  }
  EXPECT_THAT(Fields(), ElementsAre("gates[1]", "gates[2]", "gates[3]"));
  // Together with whatever else is wrong, but not where the tasks themselves could not be read.
  recipe_.add_export_("floppy");
  recipe_.add_gates("happiness >= 3");
  EXPECT_THAT(Fields(), ElementsAre("gates[5]", "export[0]", "gates[1]", "gates[2]", "gates[3]"));
  const std::string model = recipe_.model();
  recipe_.set_model("/nowhere/model");
  EXPECT_THAT(Fields(), ElementsAre("gates[5]", "model", "gates[1]", "gates[2]", "gates[3]", "export[0]"));
  recipe_.set_model(model);
  recipe_.mutable_evaluate()->mutable_tasks(0)->set_name("foxen");
  EXPECT_THAT(Fields(), ElementsAre("gates[5]", "evaluate.tasks[0].name", "export[0]"));
}

TEST_F(TaskRunTest, FaultsAreFoundWhilePlanning) {
  recipe_.mutable_evaluate()->mutable_tasks(0)->set_name("foxen");
  EXPECT_THAT(Fields(), ElementsAre("evaluate.tasks[0].name"));
  recipe_.mutable_evaluate()->mutable_tasks(0)->set_name("piqa");
  EXPECT_THAT(Fields(), ElementsAre("evaluate.tasks[0]"));
  recipe_.mutable_evaluate()->mutable_tasks(0)->set_name("lambada_openai");
  EXPECT_THAT(Fields(), ElementsAre("evaluate.tasks[1]"));
  recipe_.mutable_evaluate()->mutable_tasks(0)->set_name("foxes");
  recipe_.mutable_evaluate()->mutable_tasks(0)->set_few_shot(2);
  EXPECT_THAT(Fields(), ElementsAre("evaluate.tasks[0]"));
  recipe_.mutable_evaluate()->mutable_tasks(0)->clear_few_shot();
  recipe_.mutable_evaluate()->mutable_suite()->set_name("quik");
  EXPECT_THAT(Fields(), ElementsAre("evaluate.suite.name"));
  recipe_.mutable_evaluate()->clear_suite();
  Write("tasks/foxes.yaml",
        "name: foxes\nversion: 1\nscorer: choices\nmetrics: [acc]\ntemplate: {prompt: '{question}'}\n");
  const auto plan = MakePlan(recipe_, context_);
  ASSERT_EQ(plan->violations.size(), 1);
  EXPECT_THAT(plan->violations[0].description, HasSubstr("foxes.jsonl:1: the template's {question} is not a field"));
}

TEST_F(TaskRunTest, FaultyFilesAreToldInOneLineEach) {
  Write("tasks/foxes.yaml", "name: foxes\nmetrics: [acc]\n");
  auto plan = MakePlan(recipe_, context_);
  ASSERT_EQ(plan->violations.size(), 1);
  EXPECT_THAT(plan->violations[0].description, HasSubstr("one of choices, cloze, first_token, generate; "));
  EXPECT_THAT(plan->violations[0].description, HasSubstr("version: is missing"));
  recipe_.mutable_evaluate()->mutable_tasks()->DeleteSubrange(0, 1);
  std::string target;
  for (int i = 0; i < 9999; ++i) target += " fox";
  Write("tasks/lambada_openai.jsonl", absl::StrCat(R"({"id": "l", "context": "The", "target": ")", target, "\"}\n"));
  plan = MakePlan(recipe_, context_);
  ASSERT_EQ(plan->violations.size(), 1);
  EXPECT_EQ(plan->violations[0].field, "evaluate.tasks[0]");
  EXPECT_THAT(plan->violations[0].description, HasSubstr("lambada_openai.jsonl:1: item \"l\": the continuation has"));
}

}  // namespace
}  // namespace tersor
