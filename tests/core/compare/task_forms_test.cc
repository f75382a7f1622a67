#include "core/compare/task_forms.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;

struct Asked {
  std::string task;
  std::string hash;
  int shots = 0;
  bool chat = false;
  int items = 2;
};

std::vector<v1::TaskResult> Results(const std::vector<Asked>& all) {
  std::vector<v1::TaskResult> results;
  for (const Asked& asked : all) {
    v1::TaskResult& result = results.emplace_back();
    result.set_task(asked.task);
    result.set_hash(asked.hash);
    result.set_few_shot(asked.shots);
    if (asked.chat) result.set_protocol("piqa.jsonl, 2 items, 0 shots, in the chat template");
    for (int i = 0; i < asked.items; ++i) result.add_items();
  }
  return results;
}

std::vector<const v1::TaskResult*> Pointers(const std::vector<v1::TaskResult>& results) {
  std::vector<const v1::TaskResult*> pointers;
  for (const v1::TaskResult& result : results) pointers.push_back(&result);
  return pointers;
}

std::vector<std::string> Labels(const std::vector<TaskForm>& forms) {
  std::vector<std::string> labels;
  for (const TaskForm& form : forms) labels.push_back(form.label);
  return labels;
}

std::vector<std::string> LabelsOf(const std::vector<Asked>& all) { return Labels(TaskForms(Pointers(Results(all)))); }

TEST(TaskFormsTest, OneFormIsCalledAsItsTask) {
  EXPECT_THAT(LabelsOf({{"piqa", "a", 5}, {"copa", "b"}, {"piqa", "a", 5}}), ElementsAre("piqa", "copa"));
}

TEST(TaskFormsTest, ShotsAndTheChatTemplateTellFormsApart) {
  EXPECT_THAT(LabelsOf({{"mmlu", "a"}, {"copa", "b"}, {"mmlu", "c", 5}}),
              ElementsAre("mmlu:0shot", "copa", "mmlu:5shot"));
  EXPECT_THAT(LabelsOf({{"boolq", "a"}, {"boolq", "b", 0, true}}), ElementsAre("boolq", "boolq:chat"));
  EXPECT_THAT(LabelsOf({{"boolq", "a"}, {"boolq", "b", 0, true}, {"boolq", "c", 5, true}}),
              ElementsAre("boolq:0shot", "boolq:0shot:chat", "boolq:5shot:chat"));
  EXPECT_THAT(LabelsOf({{"boolq", "a"}, {"boolq", "b", 5, true}}), ElementsAre("boolq:0shot", "boolq:5shot:chat"));
}

TEST(TaskFormsTest, ElseItemsOrTheHashDo) {
  EXPECT_THAT(LabelsOf({{"piqa", "a"}, {"piqa", "b", 0, false, 3}}), ElementsAre("piqa:2items", "piqa:3items"));
  // A task file that was changed between the two.
  EXPECT_THAT(LabelsOf({{"piqa", "0123456789"}, {"piqa", "abcdefghij"}}),
              ElementsAre("piqa:01234567", "piqa:abcdefgh"));
}

TEST(TaskFormsTest, AFormHasTheResultsOfItsProtocol) {
  const std::vector<v1::TaskResult> results = Results({{"mmlu", "a"}, {"mmlu", "b", 5}, {"copa", "b"}});
  const std::vector<TaskForm> forms = TaskForms(Pointers(results));
  ASSERT_EQ(forms.size(), 3);
  EXPECT_TRUE(forms[1].Has(results[1]));
  EXPECT_FALSE(forms[1].Has(results[0]));
  // The hash of another task.
  EXPECT_FALSE(forms[1].Has(results[2]));
}

TEST(TaskFormsTest, MergedFormsAreThoseThatModelsHaveOneOf) {
  const auto first = Results({{"piqa", "a"}, {"mmlu", "m"}, {"mmlu", "n", 5}});
  const auto second = Results({{"piqa", "b", 5}, {"mmlu", "o"}});
  const std::vector<TaskForm> forms = MergedTaskForms({Pointers(first), Pointers(second)});
  EXPECT_THAT(Labels(forms), ElementsAre("piqa", "mmlu:0shot", "mmlu:5shot"));
  EXPECT_THAT(forms[0].hashes, ElementsAre("a", "b"));
  EXPECT_THAT(forms[1].hashes, ElementsAre("m", "o"));
  EXPECT_THAT(forms[2].hashes, ElementsAre("n"));
}

}  // namespace
}  // namespace tersor
