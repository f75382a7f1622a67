#include "core/pipeline/task_extension.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LoadedTask Task(const std::string& name, int items) {
  LoadedTask task;
  task.definition.set_name(name);
  task.items.resize(items);
  for (int i = 0; i < items; ++i) task.items[i].id = absl::StrCat(i);
  return task;
}

// Dense answers everything right; compressed loses every `every`-th item.
v1::TaskResult Answer(absl::string_view subject, const LoadedTask& task, int every) {
  v1::TaskResult result;
  result.set_task(task.definition.name());
  result.set_subject(std::string(subject));
  result.set_hash(absl::StrCat(task.definition.name(), task.items.size()));
  double right = 0;
  for (size_t i = 0; i < task.items.size(); ++i) {
    const bool score = subject == "dense" || i % every != 0;
    result.add_items()->set_id(task.items[i].id);
    (*result.mutable_items(static_cast<int>(i))->mutable_scores())["acc"] = score;
    right += score;
  }
  result.add_metrics()->set_name("acc");
  result.mutable_metrics(0)->set_value(right / static_cast<double>(task.items.size()));
  result.mutable_metrics(0)->set_higher_is_better(true);
  result.set_cached(static_cast<int64_t>(task.items.size()) / 2);
  return result;
}

class TaskExtensionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    recipe_.mutable_gating()->set_on_inconclusive("extend");
    for (const LoadedTask& task : whole_) {
      recipe_.mutable_evaluate()->add_tasks()->set_name(task.definition.name());
    }
    for (const char* subject : {"dense", "compressed"}) {
      for (LoadedTask first : whole_) {
        first.items.resize(100);
        *report_.add_tasks() = Answer(subject, first, 20);
      }
    }
  }
  absl::Status Extend(const BaselineReports& baselines = {}) {
    const auto ask = [this](absl::string_view subject, const LoadedTask& task) -> absl::StatusOr<v1::TaskResult> {
      asked_.push_back(absl::StrCat(subject, " ", task.definition.name(), " ", task.items.size()));
      if (fails_at_ == task.items.size()) return absl::CancelledError("stop");
      return Answer(subject, task, 20);
    };
    const Extending extending = {.whole = whole_,
                                 .ask = ask,
                                 .tell = [this](const std::string& message) { told_.push_back(message); },
                                 .baselines = baselines};
    return ExtendUntilDecided(recipe_, extending, report_);
  }

  const std::vector<LoadedTask> whole_ = {Task("piqa", 1000), Task("copa", 100)};
  v1::Recipe recipe_;
  v1::Report report_;
  std::vector<std::string> asked_, told_;
  size_t fails_at_ = 0;
};

TEST_F(TaskExtensionTest, GoesOnWithWhatTheGateRestsOnUntilItIsDecided) {
  recipe_.add_gates("task.piqa_drop <= 0.1");
  recipe_.add_gates("task.copa_drop <= 0.5");
  ASSERT_TRUE(Extend().ok());
  EXPECT_THAT(asked_, ElementsAre("dense piqa 200", "compressed piqa 200", "dense piqa 400", "compressed piqa 400"));
  EXPECT_THAT(told_, ElementsAre("piqa: a gate is not decided on 100 items; going on to 200",
                                 "piqa: a gate is not decided on 200 items; going on to 400"));
  ASSERT_EQ(report_.gates_size(), 2);
  EXPECT_EQ(report_.gates(0).outcome(), v1::GATE_OUTCOME_PASS);
  EXPECT_EQ(report_.gates(0).looks_size(), 3);
  EXPECT_EQ(report_.gates(1).looks_size(), 1);
  // What the gates say is what the report holds.
  EXPECT_EQ(report_.tasks(0).items_size(), 400);
  EXPECT_EQ(report_.tasks(2).items_size(), 400);
  EXPECT_EQ(report_.tasks(1).items_size(), 100);
  // 50 of the first 100 came from elsewhere, and none of the later ones.
  EXPECT_EQ(report_.tasks(0).cached(), 50);
  // The pipeline's last step leaves such gates as they are.
  ASSERT_TRUE(JudgeReport(recipe_, {}, report_).ok());
  EXPECT_EQ(report_.gates(0).looks_size(), 3);
  EXPECT_EQ(report_.verdict(), v1::VERDICT_PASS);
}

TEST_F(TaskExtensionTest, EndsWhereTheSetIsUsedUp) {
  recipe_.add_gates("task_accuracy_drop <= 0.05");
  ASSERT_TRUE(Extend().ok());
  EXPECT_THAT(asked_, ElementsAre("dense piqa 200", "compressed piqa 200", "dense piqa 400", "compressed piqa 400",
                                  "dense piqa 1000", "compressed piqa 1000"));
  EXPECT_EQ(report_.gates(0).outcome(), v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(report_.gates(0).looks_size(), 4);
}

TEST_F(TaskExtensionTest, EarlierJobsAreComparedOnTheItemsTheyHave) {
  recipe_.add_gates("task.piqa_drop <= 0.05");
  recipe_.add_gates("task.piqa_drop <= 0.5 vs job:7");
  v1::Report earlier;
  earlier.set_job_id("7");
  *earlier.add_tasks() = report_.tasks(0);
  ASSERT_TRUE(Extend({{"job:7", earlier}}).ok());
  EXPECT_EQ(report_.tasks(0).items_size(), 1000);
  ASSERT_TRUE(JudgeReport(recipe_, {{"job:7", earlier}}, report_).ok());
  EXPECT_EQ(report_.gates(1).baseline(), "job:7");
  EXPECT_EQ(report_.gates(1).count(), 100);
  EXPECT_EQ(report_.gates(1).outcome(), v1::GATE_OUTCOME_PASS);
}

TEST_F(TaskExtensionTest, NothingIsAskedWhereEverythingIsDecided) {
  recipe_.add_gates("task.piqa_drop <= 0.5");
  ASSERT_TRUE(Extend().ok());
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(TaskExtensionTest, FaultsOfAskingEndIt) {
  recipe_.add_gates("task.piqa_drop <= 0.05");
  fails_at_ = 400;
  EXPECT_EQ(Extend().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace tersor
