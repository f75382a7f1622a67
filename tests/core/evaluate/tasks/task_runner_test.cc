#include "core/evaluate/tasks/task_runner.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/tiny_model.h"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

// Likes continuations the more the fewer tokens they have; counts what it is asked.
class FakeModel {
 public:
  TaskModel Asked() {
    TaskModel model;
    model.score = [this](std::span<const ContinuationRequest> requests, const ContinuationOptions& options,
                         const EvaluateContext&) -> absl::StatusOr<std::vector<ContinuationScore>> {
      std::vector<ContinuationScore> scores;
      for (const ContinuationRequest& request : requests) {
        if (++asked > fails_after) return absl::CancelledError("killed");
        const double tokens = static_cast<double>(request.continuation.size());
        scores.push_back({.log_likelihood = -tokens, .greedy = tokens < 3, .first_rank = 4, .dropped = dropped});
        TERSOR_RETURN_IF_ERROR(options.on_score(static_cast<int64_t>(scores.size()) - 1, scores.back()));
      }
      return scores;
    };
    model.generate = [this](std::span<const std::vector<int32_t>> prompts, const BatchGenerateOptions& options,
                            const EvaluateContext&) -> absl::StatusOr<std::vector<GeneratedText>> {
      std::vector<GeneratedText> texts;
      for (size_t i = 0; i < prompts.size(); ++i) {
        ++asked;
        texts.emplace_back().text = output;
        TERSOR_RETURN_IF_ERROR(options.on_text(static_cast<int64_t>(i), texts.back()));
      }
      return texts;
    };
    return model;
  }

  int asked = 0;
  int fails_after = 1 << 30;
  int64_t dropped = 0;
  std::string output = " 18.";
};

class TaskRunnerTest : public ::testing::Test {
 protected:
  TaskRunnerTest() : tokenizer_(*Tokenizer::FromJson(testing::TinyTokenizerJson())), store_(*AnswerStore::Open({})) {
    text_.tokenizer = tokenizer_.get();
    text_.prefix_id = testing::kTinyBosId;
  }

  LoadedTask Task(v1::TaskScorer scorer, std::vector<std::string> metrics) {
    LoadedTask task;
    task.definition.set_name("t");
    task.definition.set_version("1");
    task.definition.set_scorer(scorer);
    for (std::string& metric : metrics) task.definition.add_metrics(std::move(metric));
    task.data_path = "t.jsonl";
    return task;
  }
  LoadedTask ChoiceTask(int items) {
    LoadedTask task = Task(v1::TASK_SCORER_CHOICES, {"acc", "acc_norm"});
    for (int i = 0; i < items; ++i) {
      TaskItem item;
      item.id = absl::StrCat("q", i);
      item.group = i % 2 == 0 ? "even" : "odd";
      item.prompts = {absl::StrCat("Question ", i, ":")};
      item.choices = {"yes", "no way"};
      item.continuations = {" yes", " no way"};
      item.gold = {i % 4 == 0 ? 1 : 0};
      item.line = i + 1;
      task.items.push_back(item);
    }
    return task;
  }
  absl::StatusOr<v1::TaskResult> Run(const LoadedTask& task) {
    return RunTask("dense", task, text_, model_.Asked(), store_, {});
  }

  std::unique_ptr<const Tokenizer> tokenizer_;
  TaskText text_;
  AnswerStore store_;
  FakeModel model_;
};

TEST_F(TaskRunnerTest, ItemsMetricsAndGroups) {
  const auto result = Run(ChoiceTask(8));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->task(), "t");
  EXPECT_EQ(result->items_size(), 8);
  EXPECT_EQ(result->items(0).loglikelihoods_size(), 2);
  EXPECT_EQ(result->items(0).scores().at("acc"), 0);
  EXPECT_EQ(result->items(1).scores().at("acc"), 1);
  EXPECT_EQ(result->metrics(0).name(), "acc");
  EXPECT_DOUBLE_EQ(result->metrics(0).value(), 0.75);
  ASSERT_EQ(result->groups_size(), 2);
  EXPECT_EQ(result->groups(0).name(), "even");
  EXPECT_DOUBLE_EQ(result->groups(0).metrics(0).value(), 0.5);
  EXPECT_EQ(result->cached(), 0);
  EXPECT_EQ(model_.asked, 16);
  EXPECT_GT(result->tokens(), 0);
}

TEST_F(TaskRunnerTest, ABrokenOffRunGoesOnWithTheNextItem) {
  const LoadedTask task = ChoiceTask(8);
  model_.fails_after = 7;
  EXPECT_EQ(Run(task).status().code(), absl::StatusCode::kCancelled);
  model_.fails_after = 1 << 30;
  model_.asked = 0;
  const auto result = Run(task);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->cached(), 3);
  EXPECT_EQ(model_.asked, 10);
  const auto again = Run(task);
  EXPECT_EQ(again->cached(), 8);
  EXPECT_EQ(model_.asked, 10);
  EXPECT_EQ(again->items(5).DebugString(), result->items(5).DebugString());
}

TEST_F(TaskRunnerTest, ProgressCountsItems) {
  std::vector<int64_t> done;
  const EvaluateContext context = {.progress = [&](int64_t items, int64_t total) {
    EXPECT_EQ(total, 4);
    done.push_back(items);
  }};
  ASSERT_TRUE(RunTask("dense", ChoiceTask(4), text_, model_.Asked(), store_, context).ok());
  EXPECT_THAT(done, ::testing::ElementsAre(1, 2, 3, 4));
}

TEST_F(TaskRunnerTest, TruncatedPromptsAreCounted) {
  model_.dropped = 2;
  const auto result = Run(ChoiceTask(3));
  EXPECT_EQ(result->truncated(), 3);
  EXPECT_TRUE(result->items(0).truncated());
}

TEST_F(TaskRunnerTest, GeneratedNumbersAreExtracted) {
  LoadedTask task = Task(v1::TASK_SCORER_GENERATE, {"number_match"});
  task.definition.mutable_generate()->set_extract("after:####");
  task.definition.mutable_generate()->set_max_tokens(8);
  TaskItem item;
  item.id = "g";
  item.prompts = {"2 + 2 ="};
  item.answers = {"18"};
  task.items = {item};
  model_.output = " 9 + 9\n#### 18\n";
  const auto result = Run(task);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->metrics(0).value(), 1);
  EXPECT_EQ(result->items(0).output(), model_.output);
}

TEST_F(TaskRunnerTest, FiltersAreScoredUnderTheirFormerNamesToo) {
  LoadedTask task = Task(v1::TASK_SCORER_GENERATE, {"flexible-extract"});
  task.definition.mutable_generate()->set_max_tokens(8);
  v1::AnswerFilter& filter = *task.definition.mutable_generate()->add_filters();
  filter.set_name("flexible-extract");
  filter.set_regex_pattern("[0-9]+");
  filter.set_group_select(-1);
  filter.set_former_name("last_number_match");
  TaskItem item;
  item.id = "g";
  item.prompts = {"2 + 2 ="};
  item.answers = {"18"};
  task.items = {item};
  model_.output = " 9 + 9 = 18!";
  const auto result = Run(task);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->metrics_size(), 1);
  EXPECT_EQ(result->metrics(0).name(), "flexible-extract");
  EXPECT_EQ(result->metrics(0).value(), 1);
  EXPECT_EQ(result->items(0).scores().at("last_number_match"), 1);
}

TEST_F(TaskRunnerTest, AFilterThatGivesUpNamesTheItem) {
  LoadedTask task = Task(v1::TASK_SCORER_GENERATE, {"strict-match"});
  task.definition.mutable_generate()->set_max_tokens(8);
  v1::AnswerFilter& filter = *task.definition.mutable_generate()->add_filters();
  filter.set_name("strict-match");
  filter.set_regex_pattern("(a+)+$");
  TaskItem item;
  item.id = "g";
  item.prompts = {"2 + 2 ="};
  item.answers = {"18"};
  task.items = {item};
  model_.output.assign(64, 'a');
  model_.output += 'b';
  const auto result = Run(task);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(result.status().message()), ::testing::HasSubstr("the answer to item \"g\""));
}

TEST_F(TaskRunnerTest, RanksCountFromOne) {
  LoadedTask task = Task(v1::TASK_SCORER_FIRST_TOKEN, {"p@1", "p@10"});
  TaskItem item;
  item.id = "r";
  item.prompts = {"The capital of Italy is"};
  item.target = " Rome";
  item.continuations = {" Rome"};
  task.items = {item};
  const auto result = Run(task);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->items(0).rank(), 5);
  EXPECT_EQ(result->metrics(0).value(), 0);
  EXPECT_EQ(result->metrics(1).value(), 1);
}

TEST_F(TaskRunnerTest, AnItemWithoutTokensIsNamedWithItsLine) {
  LoadedTask task = ChoiceTask(3);
  task.items[2].prompts = {""};
  text_.prefix_id = -1;
  const auto result = Run(task);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("t.jsonl:3: item \"q2\""));
}

TEST_F(TaskRunnerTest, ContinuationsThatDoNotFitAreToldBeforeTheRun) {
  LoadedTask task = ChoiceTask(3);
  text_.context_length = 32;
  EXPECT_TRUE(CheckTaskTokens(task, text_).ok());
  std::string& longest = task.items[1].continuations[0];
  for (int i = 0; i < 40; ++i) longest += " yes";
  for (const absl::Status& status : {CheckTaskTokens(task, text_), Run(task).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("t.jsonl:2: item \"q1\""));
    EXPECT_THAT(std::string(status.message()), HasSubstr("the model's context holds 32"));
  }
  EXPECT_EQ(model_.asked, 0);
}

TEST_F(TaskRunnerTest, TheHashFollowsAllThatTheScoreDependsOn) {
  const LoadedTask task = ChoiceTask(2);
  const std::string hash = TaskProtocolHash(task, text_);
  LoadedTask other = task;
  other.items[1].gold = {0, 1};
  EXPECT_NE(TaskProtocolHash(other, text_), hash);
  other = task;
  other.items.pop_back();
  EXPECT_NE(TaskProtocolHash(other, text_), hash);
  other = task;
  other.definition.set_version("2");
  EXPECT_NE(TaskProtocolHash(other, text_), hash);
  other = task;
  other.few_shot = 1;
  other.shots = {{"s", "", "Shot"}};
  EXPECT_NE(TaskProtocolHash(other, text_), hash);
  other = task;
  other.definition.set_description("in other words");
  EXPECT_EQ(TaskProtocolHash(other, text_), hash);
  TaskText text = text_;
  text.context_length = 77;
  EXPECT_NE(TaskProtocolHash(task, text), hash);
}

TEST_F(TaskRunnerTest, ChatTemplatesTakeThePromptAndNoBlankFollows) {
  LoadedTask task = ChoiceTask(1);
  task.chat_template = true;
  EXPECT_THAT(std::string(Run(task).status().message()), HasSubstr("no chat template"));
  text_.chat = [](absl::string_view prompt) { return absl::StrCat("<user>", prompt, "<assistant>"); };
  std::vector<ContinuationRequest> seen;
  TaskModel model = model_.Asked();
  model.score = [&, score = model.score](std::span<const ContinuationRequest> requests,
                                         const ContinuationOptions& options, const EvaluateContext& context) {
    seen.assign(requests.begin(), requests.end());
    return score(requests, options, context);
  };
  ASSERT_TRUE(RunTask("dense", task, text_, model, store_, {}).ok());
  EXPECT_EQ(*tokenizer_->Decode(seen[0].context), "<user>Question 0:<assistant>");
  EXPECT_EQ(*tokenizer_->Decode(seen[0].continuation), "yes");
}

}  // namespace
}  // namespace tersor
