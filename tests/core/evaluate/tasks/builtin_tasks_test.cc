// The task files that the program carries: every one is sound, and loads the data of its form.
#include <set>

#include "core/evaluate/tasks/loaded_task.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

TEST(BuiltinTasksTest, EveryFileIsSound) {
  ASSERT_GE(BuiltinTaskFiles().size(), 38);
  for (const BuiltinFile& file : BuiltinTaskFiles()) {
    const TaskFile task = ParseTask(file.text, file.name);
    EXPECT_TRUE(task.faults.empty()) << FormatFault(std::string(file.name), task.faults.at(0));
    EXPECT_FALSE(task.definition.description().empty()) << file.name;
    EXPECT_FALSE(task.definition.reference().empty()) << file.name;
  }
}

TEST(BuiltinTasksTest, SuitesNameTasksThatAreThere) {
  const TaskLibrary library({});
  ASSERT_EQ(BuiltinSuiteFiles().size(), 3);
  for (const BuiltinFile& file : BuiltinSuiteFiles()) {
    const auto suite = library.FindSuite(file.name);
    ASSERT_TRUE(suite.ok()) << suite.status();
    for (const v1::SuiteTask& task : suite->tasks()) EXPECT_TRUE(library.FindTask(task.name()).ok()) << task.name();
  }
}

TEST(BuiltinTasksTest, KickHasEveryAbility) {
  std::set<std::string> abilities;
  const auto suite = TaskLibrary({}).FindSuite("kick");
  ASSERT_TRUE(suite.ok()) << suite.status();
  for (const v1::SuiteTask& task : suite->tasks()) abilities.insert(task.ability());
  const std::vector<std::string> all = AbilityNames();
  EXPECT_EQ(abilities, std::set<std::string>(all.begin(), all.end()));
}

// The very questions that are asked with a passage are asked without it, as many of them.
TEST(BuiltinTasksTest, KickAsksTheSameQuestionsClosedBookAndInContext) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  const TaskLibrary library({*shared / "data"});
  const auto suite = library.FindSuite("kick");
  ASSERT_TRUE(suite.ok()) << suite.status();
  const auto load = [&](const v1::SuiteTask& wanted) {
    v1::TaskEvaluation evaluation;
    evaluation.set_name(wanted.name());
    evaluation.set_limit(wanted.limit());
    return LoadTask(library, evaluation, wanted.ability());
  };
  int pairs = 0;
  for (const v1::SuiteTask& open : suite->tasks()) {
    if (open.ability() != "knowledge_in_context") continue;
    for (const v1::SuiteTask& closed : suite->tasks()) {
      if (closed.name() != open.name() + "_closed_book") continue;
      EXPECT_EQ(closed.ability(), "knowledge");
      const auto with = load(open), without = load(closed);
      ASSERT_TRUE(with.ok() && without.ok()) << with.status() << without.status();
      ASSERT_EQ(with->items.size(), without->items.size());
      for (size_t i = 0; i < with->items.size(); ++i) {
        const std::string &passage = with->items[i].prompts[0], &question = without->items[i].prompts[0];
        EXPECT_EQ(with->items[i].id, without->items[i].id);
        EXPECT_EQ(with->items[i].answers, without->items[i].answers);
        EXPECT_THAT(passage, ::testing::EndsWith(question));
        EXPECT_THAT(question, ::testing::StartsWith("Question: "));
        EXPECT_EQ(question.rfind("Question: "), 0) << question;
        EXPECT_LT(question.size(), passage.size());
      }
      ++pairs;
    }
  }
  EXPECT_EQ(pairs, 2);
}

TEST(BuiltinTasksTest, SharedDataLoads) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  const TaskLibrary library({*shared / "data"});
  int loaded = 0;
  for (const BuiltinFile& file : BuiltinTaskFiles()) {
    const auto found = library.FindTask(file.name);
    ASSERT_TRUE(found.ok());
    if (!library.FindData(*found, found->definition.data()).ok()) continue;
    v1::TaskEvaluation wanted;
    wanted.set_name(std::string(file.name));
    const auto task = LoadTask(library, wanted, "");
    EXPECT_TRUE(task.ok()) << task.status();
    if (!task.ok()) continue;
    EXPECT_EQ(task->skipped, 0) << file.name;
    ++loaded;
  }
  EXPECT_GE(loaded, 25);
}

TEST(BuiltinTasksTest, MmluPromptsAreDescriptionShotsQuestion) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  v1::TaskEvaluation wanted;
  wanted.set_name("mmlu");
  wanted.set_few_shot(5);
  const auto task = LoadTask(TaskLibrary({*shared / "data"}), wanted, "");
  ASSERT_TRUE(task.ok()) << task.status();
  const std::string prompt = task->Preamble(task->items[0]) + task->items[0].prompts[0];
  const std::string description =
      "The following are multiple choice questions (with answers) about abstract algebra.\n\n";
  EXPECT_EQ(prompt.rfind(description), 0);
  EXPECT_THAT(prompt, ::testing::StartsWith(description + "Find all c in Z_3 such that"));
  EXPECT_THAT(prompt, ::testing::HasSubstr("D. 3\nAnswer: B\n\n"));
  EXPECT_THAT(prompt, ::testing::EndsWith("D. 6\nAnswer:"));
  int answered = 0;
  for (size_t at = prompt.find("Answer: "); at != std::string::npos; at = prompt.find("Answer: ", at + 1)) ++answered;
  EXPECT_EQ(answered, 5);
}

}  // namespace
}  // namespace tersor
