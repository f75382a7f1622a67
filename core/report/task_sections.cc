#include "core/report/task_sections.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/compare/task_forms.h"
#include "core/report/number_text.h"

namespace tersor {
namespace {

const v1::TaskResult::Metric* FindMetric(const v1::TaskResult* result, const std::string& name) {
  if (result == nullptr) return nullptr;
  for (const v1::TaskResult::Metric& metric : result->metrics()) {
    if (metric.name() == name) return &metric;
  }
  return nullptr;
}

std::string ValueText(const v1::TaskResult::Metric* metric) { return metric == nullptr ? "" : MetricText(*metric); }

// With its sign, so that a loss is seen as one.
std::string ChangeText(double change) { return absl::StrCat(change > 0 ? "+" : "", FigureText(change, 3)); }

std::string ChangeText(const v1::TaskResult::Metric* dense, const v1::TaskResult::Metric* compressed) {
  if (dense == nullptr || compressed == nullptr) return "";
  return ChangeText(compressed->value() - dense->value());
}

std::string TaskText(const v1::TaskResult& result) {
  return absl::StrCat(result.task(), result.few_shot() > 0 ? absl::StrCat(", ", result.few_shot(), " shots") : "",
                      InChatTemplate(result) ? ", chat template" : "");
}

std::string ProtocolText(const v1::TaskResult& result) {
  return absl::StrCat("version ", result.version(), ", ", result.protocol(),
                      result.truncated() > 0 ? absl::StrCat(", ", result.truncated(), " cut from the left") : "",
                      result.skipped() > 0 ? absl::StrCat(", ", result.skipped(), " left out") : "",
                      result.cached() > 0 ? absl::StrCat(", ", result.cached(), " from the cache") : "", " [",
                      result.hash().substr(0, 12), "]");
}

}  // namespace

std::string MetricText(const v1::TaskResult::Metric& metric) {
  const std::string value = FigureText(metric.value(), 3);
  return metric.has_standard_error() ? absl::StrCat(value, " \u00b1", FigureText(metric.standard_error(), 2)) : value;
}

std::vector<TaskRow> TaskRows(const v1::Report& report) {
  std::vector<TaskRow> rows;
  for (const v1::TaskResult& result : report.tasks()) {
    if (result.subject() == "baseline_model") continue;
    const bool dense = result.subject() == "dense";
    auto row = std::find_if(rows.begin(), rows.end(), [&](const TaskRow& other) {
      return other.any().task() == result.task() && other.any().hash() == result.hash() &&
             (dense ? other.dense : other.compressed) == nullptr;
    });
    if (row == rows.end()) row = rows.insert(rows.end(), TaskRow{});
    (dense ? row->dense : row->compressed) = &result;
  }
  return rows;
}

std::string TaskLabelOf(const v1::Report& report, const std::string& task, const std::string& hash) {
  std::vector<const v1::TaskResult*> results;
  for (const TaskRow& row : TaskRows(report)) results.push_back(&row.any());
  for (const TaskForm& form : TaskForms(results)) {
    if (form.task == task && form.hashes.count(hash) > 0) return form.label;
  }
  return task;
}

ReportSection TasksSection(const v1::Report& report) {
  ReportSection section{.title = "Tasks",
                        .columns = {{"task"},
                                    {"metric"},
                                    {"dense", true},
                                    {"compressed", true},
                                    {"change", true},
                                    {"items", true},
                                    {"protocol"}}};
  for (const TaskRow& row : TaskRows(report)) {
    bool first = true;
    for (const v1::TaskResult::Metric& metric : row.any().metrics()) {
      const auto* dense = FindMetric(row.dense, metric.name());
      const auto* compressed = FindMetric(row.compressed, metric.name());
      section.rows.push_back({first ? TaskText(row.any()) : "", metric.name(), ValueText(dense), ValueText(compressed),
                              ChangeText(dense, compressed), first ? absl::StrCat(row.any().items_size()) : "",
                              first ? ProtocolText(row.any()) : ""});
      if (first && dense != nullptr && compressed != nullptr) {
        section.charts.push_back(
            {{"dense", dense->value(),
              absl::StrCat(FigureText(dense->value(), 3), "  ", row.any().task(), " ", metric.name())},
             {"compressed", compressed->value(), FigureText(compressed->value(), 3)}});
      }
      first = false;
    }
  }
  if (!section.rows.empty()) section.note = "Value \u00b1 standard error over the items.";
  return section;
}

ReportSection TaskGroupsSection(const v1::Report& report) {
  ReportSection section{
      .title = "Subjects",
      .columns = {{"task"}, {"subject"}, {"dense", true}, {"compressed", true}, {"change", true}, {"items", true}}};
  for (const TaskRow& row : TaskRows(report)) {
    for (int i = 0; i < row.any().groups_size(); ++i) {
      // Equal hashes: equal items, equal groups.
      const auto metric = [&](const v1::TaskResult* result) {
        return result == nullptr || result->groups(i).metrics().empty() ? nullptr : &result->groups(i).metrics(0);
      };
      section.rows.push_back({i == 0 ? TaskText(row.any()) : "", row.any().groups(i).name(),
                              ValueText(metric(row.dense)), ValueText(metric(row.compressed)),
                              ChangeText(metric(row.dense), metric(row.compressed)),
                              absl::StrCat(row.any().groups(i).items())});
    }
  }
  return section;
}

ReportSection AbilitiesSection(const v1::Report& report) {
  ReportSection section{
      .title = "Abilities",
      .columns = {
          {"ability"}, {"dense", true}, {"compressed", true}, {"drop", true}, {"verdict"}, {"tasks"}, {"reason"}}};
  for (const v1::AbilityResult& ability : report.abilities()) {
    section.rows.push_back({ability.ability(), FigureText(ability.dense(), 3), FigureText(ability.compressed(), 3),
                            absl::StrCat(ChangeText(ability.drop()), " (", ChangeText(ability.low()), " to ",
                                         ChangeText(ability.high()), ")"),
                            std::string(AbilityWord(ability.outcome())), absl::StrJoin(ability.tasks(), ", "),
                            ability.reason()});
  }
  if (!section.rows.empty()) {
    section.note =
        "Drop: the mean of the tasks' main metrics, dense - compressed, with the interval that a gate on it is decided "
        "by.";
  }
  return section;
}

absl::string_view AbilityWord(v1::AbilityOutcome outcome) {
  switch (outcome) {
    case v1::ABILITY_OUTCOME_KEPT:
      return "KEPT";
    case v1::ABILITY_OUTCOME_DAMAGED:
      return "DAMAGED";
    case v1::ABILITY_OUTCOME_UNDECIDED:
      return "UNDECIDED";
    case v1::ABILITY_OUTCOME_NOT_MEASURABLE:
      return "NOT MEASURABLE";
    default:
      return "UNKNOWN";
  }
}

}  // namespace tersor
