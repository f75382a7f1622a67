// Answers scored as lm-evaluation-harness scores them, by its own task files, filters and metrics:
// tests/tools/record_task_answers.py.
#include "core/base/atomic_file.h"
#include "core/evaluate/metrics/answer_text.h"
#include "core/evaluate/tasks/answer_check.h"
#include "core/evaluate/tasks/task_library.h"
#include "core/formats/json_text.h"
#include "gtest/gtest.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using nlohmann::json;

json Recorded(const char* part) {
  const auto text = ReadFile(testing::FixturesPath() / "task_answers.json");
  EXPECT_TRUE(text.ok()) << text.status();
  const json rows = json::parse(*text)[part];
  EXPECT_GE(rows.size(), 40) << part;
  return rows;
}

v1::TaskDefinition Builtin(const char* name) {
  const auto found = TaskLibrary({}).FindTask(name);
  EXPECT_TRUE(found.ok()) << found.status();
  return found->definition;
}

TaskItem Item(const v1::TaskDefinition& definition, json source) {
  source["id"] = "1";
  source["context"] = "Question: Which?\nAnswer:";
  const auto items = ReadTaskItems(definition, source.dump(), "here", 0);
  EXPECT_TRUE(items.ok()) << items.status() << source;
  return items->items.at(0);
}

double Score(const char* metric, const TaskItem& item, const ItemAnswer& answer) {
  return FindTaskMetric(metric)->measure(item, answer)[0];
}

ItemAnswer Generated(const v1::TaskDefinition& definition, const TaskItem& item, const json& row) {
  const auto check = AnswerCheck::Make(definition.generate());
  EXPECT_TRUE(check.ok()) << check.status();
  ItemAnswer answer;
  answer.output = row["output"].get<std::string>();
  const absl::Status read = check->Read(item, answer);
  EXPECT_TRUE(read.ok()) << read << row;
  return answer;
}

TEST(RecordedAnswersTest, Gsm8kHasBothMetrics) {
  const v1::TaskDefinition task = Builtin("gsm8k");
  for (const json& row : Recorded("gsm8k")) {
    // As the data has it, and by the whole solution.
    const TaskItem number = Item(task, {{"target", row["target"]}, {"answer", row["answer"]}});
    const TaskItem whole = Item(task, {{"target", row["target"]}});
    for (const TaskItem* item : {&number, &whole}) {
      const ItemAnswer answer = Generated(task, *item, row);
      for (const char* metric : {"strict-match", "flexible-extract"}) {
        EXPECT_EQ(Score(metric, *item, answer), row["scores"][metric].get<double>()) << metric << row;
      }
    }
  }
}

class ExactMatchTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ExactMatchTest, IsTheHarness) {
  const v1::TaskDefinition task = Builtin(GetParam());
  for (const json& row : Recorded(GetParam())) {
    const TaskItem item = Item(task, {{"answers", row["answers"]}});
    EXPECT_EQ(Score("exact_match", item, Generated(task, item, row)), row["scores"]["remove_whitespace"].get<double>())
        << row;
  }
}
INSTANTIATE_TEST_SUITE_P(OpenQuestions, ExactMatchTest, ::testing::Values("triviaqa", "nq_open"));

TEST(RecordedAnswersTest, WebqsTakesAnyGreedyAnswer) {
  const v1::TaskDefinition task = Builtin("webqs");
  for (const json& row : Recorded("webqs")) {
    const TaskItem item = Item(task, {{"answers", row["answers"]}});
    EXPECT_EQ(item.continuations, row["continuations"].get<std::vector<std::string>>());
    ItemAnswer answer;
    answer.greedy = row["greedy"].get<std::vector<bool>>();
    EXPECT_EQ(Score("exact_match", item, answer), row["exact_match"].get<double>()) << row;
  }
}

TEST(RecordedAnswersTest, RecordIsScoredByText) {
  for (const json& row : Recorded("record")) {
    TaskItem item;
    // The right ones beside the choices, which are all that is asked.
    item.choices = row["choices"].get<std::vector<std::string>>();
    for (const auto& right : row["answers"].get<std::vector<std::string>>()) {
      item.gold.push_back(static_cast<int>(item.choices.size()));
      item.choices.push_back(right);
    }
    ItemAnswer answer;
    answer.log_likelihoods = row["loglikelihoods"].get<std::vector<double>>();
    EXPECT_NEAR(Score("choice_f1", item, answer), row["f1"].get<double>(), 1e-12) << row;
    EXPECT_EQ(Score("choice_em", item, answer), row["em"].get<double>()) << row;
  }
}

TEST(RecordedAnswersTest, SquadsNormalisation) {
  for (const json& row : Recorded("squad")) {
    const auto output = row["output"].get<std::string>();
    const auto answers = row["answers"].get<std::vector<std::string>>();
    EXPECT_EQ(NormalizeAnswer(output), row["normal"].get<std::string>()) << row;
    EXPECT_EQ(ExactMatch(output, answers), row["exact"].get<double>()) << row;
    EXPECT_NEAR(TokenF1(output, answers), row["f1"].get<double>(), 1e-12) << row;
  }
}

}  // namespace
}  // namespace tersor
