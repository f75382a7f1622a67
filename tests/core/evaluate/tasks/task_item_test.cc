#include "core/evaluate/tasks/task_item.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::TaskDefinition Choices() {
  v1::TaskDefinition definition;
  definition.set_name("t");
  definition.set_scorer(v1::TASK_SCORER_CHOICES);
  return definition;
}

v1::TaskDefinition Scored(v1::TaskScorer scorer) {
  v1::TaskDefinition definition;
  definition.set_name("t");
  definition.set_scorer(scorer);
  return definition;
}

std::string Fault(const v1::TaskDefinition& definition, absl::string_view lines) {
  const auto items = ReadTaskItems(definition, lines, "t.jsonl", 0);
  return items.ok() ? "no fault" : std::string(items.status().message());
}

TaskItem Only(const v1::TaskDefinition& definition, absl::string_view line) {
  const auto items = ReadTaskItems(definition, line, "t.jsonl", 0);
  EXPECT_TRUE(items.ok()) << items.status();
  return items.ok() ? items->items.at(0) : TaskItem{};
}

TEST(TaskItemTest, ChoicesAreContinuationsAfterABlank) {
  const TaskItem item =
      Only(Choices(), R"({"id": 7, "context": "Q", "choices": ["x", "yy"], "gold": 1, "subject": "s"})");
  EXPECT_EQ(item.id, "7");
  EXPECT_EQ(item.group, "s");
  EXPECT_THAT(item.prompts, ElementsAre("Q"));
  EXPECT_THAT(item.continuations, ElementsAre(" x", " yy"));
  EXPECT_THAT(item.gold, ElementsAre(1));
  EXPECT_EQ(item.line, 1);
}

TEST(TaskItemTest, EveryChoiceMayHaveItsOwnContext) {
  const TaskItem item =
      Only(Choices(), R"({"id": "w", "contexts": ["so A", "so B"], "choices": ["ran.", "ran."], "gold": 0})");
  EXPECT_THAT(item.prompts, ElementsAre("so A", "so B"));
  EXPECT_EQ(item.prompt(1), "so B");
}

TEST(TaskItemTest, SeveralMayBeRight) {
  EXPECT_THAT(Only(Choices(), R"({"id": "a", "context": "Q", "choices": ["x", "y", "z"], "gold": [2, 0]})").gold,
              ElementsAre(0, 2));
  EXPECT_THAT(
      Only(Choices(), R"({"id": "a", "context": "Q", "choices": ["x", "y", "z"], "gold": 0, "labels": [0, 1, 1]})")
          .gold,
      ElementsAre(1, 2));
}

TEST(TaskItemTest, TemplatesMakeThePromptAndTheChoices) {
  v1::TaskDefinition definition = Choices();
  definition.mutable_template_()->set_description("About {subject|words}.\n\n");
  definition.mutable_template_()->set_prompt("{question} =");
  definition.mutable_template_()->set_choice("> {choice}");
  definition.mutable_template_()->add_choices("no");
  definition.mutable_template_()->add_choices("yes");
  definition.mutable_template_()->set_gold("label");
  const TaskItem item = Only(definition, R"({"id": "a", "question": "2", "label": 1, "subject": "high_school"})");
  EXPECT_EQ(item.description, "About high school.\n\n");
  EXPECT_THAT(item.prompts, ElementsAre("2 ="));
  EXPECT_THAT(item.continuations, ElementsAre("> no", "> yes"));
}

TEST(TaskItemTest, ADescriptionIsNotPutTwice) {
  v1::TaskDefinition definition = Choices();
  definition.mutable_template_()->set_description("D. ");
  EXPECT_THAT(Only(definition, R"({"id": "a", "context": "D. Q", "choices": ["x", "y"], "gold": 0})").prompts,
              ElementsAre("Q"));
}

TEST(TaskItemTest, TargetsAndAnswers) {
  const TaskItem cloze = Only(Scored(v1::TASK_SCORER_CLOZE), R"({"id": "a", "context": "Q", "target": " x"})");
  EXPECT_THAT(cloze.continuations, ElementsAre(" x"));
  const TaskItem free =
      Only(Scored(v1::TASK_SCORER_GENERATE), R"({"id": "a", "context": "Q", "target": " x", "answer": "18"})");
  EXPECT_THAT(free.answers, ElementsAre("18"));
  EXPECT_TRUE(free.continuations.empty());
  EXPECT_THAT(Only(Scored(v1::TASK_SCORER_GENERATE), R"({"id": "a", "context": "Q", "target": " x"})").answers,
              ElementsAre(" x"));
}

// However an item states them; one that begins with another is left out.
TEST(TaskItemTest, AnyOfSeveralAnswersIsAContinuation) {
  v1::TaskDefinition definition = Scored(v1::TASK_SCORER_CLOZE);
  definition.mutable_template_()->set_answer(" {answer}");
  const TaskItem several =
      Only(definition, R"({"id": "a", "context": "Q", "answers": ["Nile", "Amazon River", "Amazon"]})");
  EXPECT_THAT(several.continuations, ElementsAre(" Amazon", " Nile"));
  EXPECT_THAT(several.answers, ElementsAre("Nile", "Amazon River", "Amazon"));
  EXPECT_THAT(Only(definition, R"({"id": "a", "context": "Q", "answer": "Nile"})").continuations, ElementsAre(" Nile"));
  EXPECT_THAT(Only(definition, R"({"id": "a", "context": "Q", "target": " Nile"})").continuations,
              ElementsAre(" Nile"));
  EXPECT_THAT(Fault(definition, R"({"id": "a", "context": "Q", "answers": []})"), HasSubstr("\"answers\" is empty"));
  EXPECT_THAT(Fault(definition, R"({"id": "a", "context": "Q", "answers": ["x", ""]})"),
              HasSubstr("one that is empty"));
  EXPECT_THAT(Fault(definition, R"({"id": "a", "context": "Q"})"), HasSubstr("\"target\" is missing"));
}

TEST(TaskItemTest, NoAnswerIsAnAnswerWhereTheTaskSaysSo) {
  v1::TaskDefinition definition = Scored(v1::TASK_SCORER_GENERATE);
  const char* line = R"({"id": "a", "context": "Q", "target": "", "answers": []})";
  EXPECT_THAT(Fault(definition, line), HasSubstr("no answer is right"));
  definition.mutable_generate()->set_no_answer("none");
  EXPECT_TRUE(Only(definition, line).answers.empty());
}

TEST(TaskItemTest, FaultsNameFileLineAndField) {
  const std::string good = R"({"id": "a", "context": "Q", "choices": ["x", "y"], "gold": 0})";
  const std::pair<const char*, const char*> cases[] = {
      {R"({"context": "Q", "choices": ["x", "y"], "gold": 0})", "t.jsonl:2: \"id\" is missing"},
      {R"({"id": "b", "choices": ["x", "y"], "gold": 0})", "t.jsonl:2: the template's {context} is not a field"},
      {R"({"id": "b", "context": "Q", "gold": 0})", "t.jsonl:2: \"choices\" is missing"},
      {R"({"id": "b", "context": "Q", "choices": ["x"], "gold": 0})", "fewer than two"},
      {R"({"id": "b", "context": "Q", "choices": ["x", ""], "gold": 0})", "is empty"},
      {R"({"id": "b", "context": "Q", "choices": ["x", 3], "gold": 0})", "not a list of texts"},
      {R"({"id": "b", "context": "Q", "choices": ["x", "y"]})", "\"gold\" is missing"},
      {R"({"id": "b", "context": "Q", "choices": ["x", "y"], "gold": 2})", "\"gold\" is 2, but the 2 choices"},
      {R"({"id": "b", "context": "Q", "choices": ["x", "y"], "gold": -1})", "\"gold\" is -1"},
      {R"({"id": "b", "context": "Q", "choices": ["x", "y"], "gold": 1e99})", "\"gold\" is 1e+99"},
      {R"({"id": "b", "context": "Q", "choices": ["x", "y"], "gold": []})", "no choice is right"},
      {R"({"id": "b", "context": "Q", "choices": ["x", "y"], "gold": 0, "labels": [1]})", "\"labels\""},
      {R"({"id": "b", "context": "Q", "choices": ["x", "y"], "labels": [1, 2]})", "\"labels\" has 2 where"},
      {R"({"id": "b", "context": "Q", "choices": ["x", "y"], "labels": [0, 0]})", "no choice is right"},
      {R"({"id": "b", "contexts": ["P"], "choices": ["x", "y"], "gold": 0, "context": ""})", "no fault"},
      {R"({"id": "b", "contexts": ["P", "Q", "R"], "choices": ["x", "y"], "gold": 0})", "3 texts for 2 choices"},
      {R"({"id": "a", "context": "Q", "choices": ["x", "y"], "gold": 0})", "the id \"a\" stands in line 1 too"},
      {R"([1])", "t.jsonl:2"},
      {R"({"id": )", "t.jsonl:2"},
  };
  for (const auto& [line, fault] : cases) {
    EXPECT_THAT(Fault(Choices(), absl::StrCat(good, "\n", line, "\n")), HasSubstr(fault)) << line;
  }
}

TEST(TaskItemTest, AnEmptySetOrTargetIsAFault) {
  EXPECT_THAT(Fault(Choices(), ""), HasSubstr("has no items"));
  EXPECT_THAT(Fault(Choices(), "\n \n"), HasSubstr("has no items"));
  EXPECT_THAT(Fault(Scored(v1::TASK_SCORER_CLOZE), R"({"id": "a", "context": "Q", "target": ""})"),
              HasSubstr("\"target\" is empty"));
}

TEST(TaskItemTest, EqualChoicesAreSkippedAndCounted) {
  const char* lines =
      R"({"id": "a", "context": "Q", "choices": ["x", "x"], "gold": 0}
{"id": "b", "context": "Q", "choices": ["x", "y"], "gold": 0})";
  const auto items = ReadTaskItems(Choices(), lines, "t.jsonl", 0);
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_EQ(items->skipped, 1);
  ASSERT_EQ(items->items.size(), 1);
  EXPECT_EQ(items->items[0].id, "b");
  EXPECT_THAT(Fault(Choices(), R"({"id": "a", "context": "Q", "choices": ["x", "x"], "gold": 0})"),
              HasSubstr("every item has two choices that are the same"));
  // Equal choices after different prompts are no twins.
  const char* own = R"({"id": "a", "contexts": ["P", "Q"], "choices": ["x", "x"], "gold": 0})";
  EXPECT_EQ(ReadTaskItems(Choices(), own, "t.jsonl", 0)->items.size(), 1);
}

TEST(TaskItemTest, TheLimitTakesTheFirst) {
  const char* lines =
      "{\"id\": \"a\", \"context\": \"Q\", \"target\": \"x\"}\n{\"id\": \"b\", \"context\": \"Q\", \"target\": \"x\"}";
  const auto items = ReadTaskItems(Scored(v1::TASK_SCORER_CLOZE), lines, "t.jsonl", 1);
  ASSERT_TRUE(items.ok());
  EXPECT_EQ(items->items.size(), 1);
}

TEST(TaskItemTest, ShotsAreThePromptWithTheRightAnswer) {
  const auto shots = ReadTaskShots(Choices(), R"({"id": "a", "context": "Q:", "choices": ["x", "y"], "gold": 1})", "t");
  ASSERT_TRUE(shots.ok());
  EXPECT_EQ(shots->at(0).text, "Q: y");
}

}  // namespace
}  // namespace tersor
