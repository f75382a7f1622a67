#include "core/report/task_sections.h"

#include "absl/strings/string_view.h"
#include "core/report/report_format.h"
#include "core/report/verdict_sentence.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::TaskResult& AddTask(const char* task, const char* subject, double value, v1::Report& report) {
  v1::TaskResult& result = *report.add_tasks();
  result.set_task(task);
  result.set_subject(subject);
  result.set_version("1");
  result.set_protocol("arc.jsonl, 2 items, 0 shots");
  result.set_hash("0123456789abcdef");
  v1::TaskResult::Metric& metric = *result.add_metrics();
  metric.set_name("acc");
  metric.set_value(value);
  metric.set_standard_error(0.02);
  result.add_items();
  result.add_items();
  return result;
}

v1::Report Sample() {
  v1::Report report;
  AddTask("arc", "dense", 0.5, report);
  AddTask("piqa", "dense", 0.7, report).set_hash("other");
  v1::TaskResult& compressed = AddTask("arc", "compressed", 0.45, report);
  compressed.set_truncated(1);
  compressed.set_cached(2);
  v1::AbilityResult& ability = *report.add_abilities();
  ability.set_ability("knowledge");
  ability.set_dense(0.5);
  ability.set_compressed(0.4);
  ability.set_drop(0.1);
  ability.set_low(0.05);
  ability.set_high(0.15);
  ability.set_outcome(v1::ABILITY_OUTCOME_DAMAGED);
  ability.set_reason("lost 10.0 points");
  ability.add_tasks("arc");
  return report;
}

TEST(TaskSectionsTest, ARowATaskDenseBesideCompressed) {
  const v1::Report report = Sample();
  const ReportSection section = TasksSection(report);
  ASSERT_EQ(section.rows.size(), 2);
  EXPECT_THAT(section.rows[0],
              ElementsAre("arc", "acc", "0.500 \u00b10.020", "0.450 \u00b10.020", "-0.0500", "2",
                          "version 1, arc.jsonl, 2 items, 0 shots, 1 cut from the left, 2 from the cache "
                          "[0123456789ab]"));
  EXPECT_EQ(section.rows[1][3], "");
  EXPECT_EQ(section.charts.size(), 1);
}

TEST(TaskSectionsTest, OtherProtocolsStandApart) {
  v1::Report report = Sample();
  report.mutable_tasks(2)->set_hash("fedcba");
  EXPECT_EQ(TaskRows(report).size(), 3);
}

TEST(TaskSectionsTest, FormsOfOneTaskAreToldApart) {
  v1::Report report = Sample();
  for (const char* subject : {"dense", "compressed"}) {
    v1::TaskResult& again = AddTask("arc", subject, 0.4, report);
    again.set_hash("fedcba");
    again.set_few_shot(5);
    again.set_protocol("arc.jsonl, 2 items, 5 shots, in the chat template");
    v1::TaskComparison& comparison = *report.add_task_comparisons();
    comparison.set_task("arc");
    comparison.set_metric("acc");
    comparison.set_hash(subject == absl::string_view("dense") ? "0123456789abcdef" : "fedcba");
  }
  EXPECT_EQ(TasksSection(report).rows[2][0], "arc, 5 shots, chat template");
  EXPECT_EQ(TaskLabelOf(report, "arc", "fedcba"), "arc:5shot:chat");
  EXPECT_EQ(TaskLabelOf(report, "piqa", "other"), "piqa");
  const std::string table = ReportToTable(report, 200);
  EXPECT_THAT(table, HasSubstr("arc:0shot acc"));
  EXPECT_THAT(table, HasSubstr("arc:5shot:chat acc"));
}

TEST(TaskSectionsTest, SubjectsHaveRows) {
  v1::Report report;
  v1::TaskResult& result = AddTask("mmlu", "dense", 0.3, report);
  for (const char* name : {"algebra", "history"}) {
    v1::TaskResult::Group& group = *result.add_groups();
    group.set_name(name);
    group.set_items(1);
    *group.add_metrics() = result.metrics(0);
  }
  const ReportSection section = TaskGroupsSection(report);
  ASSERT_EQ(section.rows.size(), 2);
  EXPECT_EQ(section.rows[1][1], "history");
}

TEST(TaskSectionsTest, EveryFormShowsTasksAndAbilities) {
  const v1::Report report = Sample();
  for (const std::string& text : {ReportToTable(report, 160), ReportToMarkdown(report), ReportToHtml(report)}) {
    EXPECT_THAT(text, HasSubstr("piqa"));
    EXPECT_THAT(text, HasSubstr("DAMAGED"));
    EXPECT_THAT(text, HasSubstr("lost 10.0 points"));
  }
}

TEST(TaskSectionsTest, TheVerdictNamesWhatIsDamaged) {
  EXPECT_THAT(VerdictSentence(Sample()), HasSubstr("Damaged: knowledge (lost 10.0 points)."));
  EXPECT_THAT(VerdictSentence({}), ::testing::Not(HasSubstr("Damaged")));
}

TEST(TaskSectionsTest, NothingIsSaidWithoutTasks) {
  EXPECT_TRUE(TasksSection({}).rows.empty());
  EXPECT_TRUE(AbilitiesSection({}).rows.empty());
  EXPECT_TRUE(TaskGroupsSection({}).rows.empty());
}

}  // namespace
}  // namespace tersor
