// Tasks through plan and run: a tiny model, two small sets.
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
