#include "core/compare/compared_rows.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/compare/report_names.h"

namespace tersor {
namespace {

constexpr absl::string_view kWords = "words";

bool IsDenseJob(const v1::Report& report) { return ResultSide(report).subject == kDenseSubject; }

bool HasDenseFigures(const v1::Report& report) {
  const auto dense = [](const auto& result) { return result.subject() == kDenseSubject; };
  return report.has_size() || std::any_of(report.perplexity().begin(), report.perplexity().end(), dense) ||
         std::any_of(report.tasks().begin(), report.tasks().end(), dense);
}

// Contents tell models apart; names do where a report has no hash.
std::string Identity(const v1::ModelInfo& model) { return model.sha256().empty() ? model.name() : model.sha256(); }

// The row of this model, or a new one for it.
ComparedRow& RowOf(const v1::ModelInfo& model, const v1::ModelInfo& (v1::Report::*of)() const, size_t first,
                   std::vector<ComparedRow>& rows) {
  const auto found =
      std::find_if(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(),
                   [&](const ComparedRow& row) { return Identity((row.report().*of)()) == Identity(model); });
  return found != rows.end() ? *found : rows.emplace_back();
}

void AddDenseRows(const std::vector<NamedReport>& reports, std::vector<ComparedRow>& rows) {
  for (const NamedReport& named : reports) {
    if (IsDenseJob(named.report) || !HasDenseFigures(named.report)) continue;
    ComparedRow& row = RowOf(named.report.model(), &v1::Report::model, 0, rows);
    row.kind = RowKind::kDense;
    row.label = "dense";
    row.sides.push_back(DenseSide(named.report));
  }
  for (size_t i = 0; i < rows.size(); ++i) rows[i].reference = static_cast<int>(i);
  if (rows.size() < 2) return;
  for (ComparedRow& row : rows) row.label = absl::StrCat("dense ", row.report().model().name());
}

// A row a report, measured against its dense original.
void AddResultRows(const std::vector<NamedReport>& reports, std::vector<ComparedRow>& rows) {
  const size_t dense_rows = rows.size();
  const std::vector<std::string> names = NamesOf(reports);
  for (size_t r = 0; r < reports.size(); ++r) {
    const NamedReport& named = reports[r];
    ComparedRow row = {.sides = {ResultSide(named.report)}, .label = names[r], .sweep = named.sweep};
    for (size_t i = 0; i < dense_rows; ++i) {
      if (Identity(rows[i].report().model()) == Identity(named.report.model())) row.reference = static_cast<int>(i);
    }
    rows.push_back(std::move(row));
  }
}

// Measured against the original of the first report that names it, or against the report's own model.
void AddBaselineRows(const std::vector<NamedReport>& reports, std::vector<ComparedRow>& rows) {
  const size_t first_result = rows.size() - reports.size(), first = rows.size();
  for (size_t i = 0; i < reports.size(); ++i) {
    const v1::Report& report = reports[i].report;
    if (!report.has_baseline_model()) continue;
    const ComparedRow& own = rows[first_result + i];
    const int reference = IsDenseJob(report) ? static_cast<int>(first_result + i) : own.reference;
    ComparedRow& row = RowOf(report.baseline_model(), &v1::Report::baseline_model, first, rows);
    if (row.sides.empty()) row.reference = reference;
    row.kind = RowKind::kBaselineModel;
    row.label = absl::StrCat("baseline ", report.baseline_model().name());
    row.sides.push_back(BaselineModelSide(report));
  }
}

std::string Unique(const std::string& label, std::set<std::string>& taken) {
  std::string unique = label;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = absl::StrCat(label, " (", i, ")");
  return unique;
}

// The subject's results in their order.
template <typename Results>
auto ResultsOf(const Results& results, absl::string_view subject) {
  std::vector<typename Results::const_pointer> own;
  for (const auto& result : results) {
    if (result.subject() == subject) own.push_back(&result);
  }
  return own;
}

std::string Convention(const v1::Report& report, size_t index) {
  const auto& asked = report.recipe().evaluate().perplexity();
  const bool named = static_cast<int>(index) < asked.size() && !asked[static_cast<int>(index)].convention().empty();
  return named ? asked[static_cast<int>(index)].convention() : "windows";
}

}  // namespace

std::vector<RowTask> ComparedRow::Tasks() const {
  std::vector<RowTask> tasks;
  for (const ReportSide& side : sides) {
    const auto own = ResultsOf(side.report->tasks(), side.subject);
    const auto dense = ResultsOf(side.report->tasks(), kDenseSubject);
    for (size_t i = 0; i < own.size(); ++i) {
      const bool stands = baseline_model() && i < dense.size() && dense[i]->task() == own[i]->task();
      tasks.push_back({own[i], stands ? dense[i] : own[i]});
    }
  }
  return tasks;
}

std::vector<RowPerplexity> ComparedRow::Perplexities() const {
  std::vector<RowPerplexity> perplexities;
  for (const ReportSide& side : sides) {
    const auto own = ResultsOf(side.report->perplexity(), side.subject);
    const auto dense = ResultsOf(side.report->perplexity(), kDenseSubject);
    for (size_t i = 0; i < own.size(); ++i) {
      RowPerplexity one = {own[i], own[i], Convention(*side.report, i)};
      if (baseline_model() && i < dense.size() && dense[i]->hash() != own[i]->hash()) {
        // Words are the same whoever counts tokens.
        if (one.convention != kWords) continue;
        one.form = dense[i];
      }
      perplexities.push_back(std::move(one));
    }
  }
  return perplexities;
}

RowTask ComparedRow::Task(const TaskForm& form, absl::string_view hash) const {
  RowTask first;
  for (const RowTask& task : Tasks()) {
    if (!form.Has(*task.form)) continue;
    if (task.form->hash() == hash) return task;
    if (first.result == nullptr) first = task;
  }
  return first;
}

std::vector<ComparedRow> ComparedRows(const std::vector<NamedReport>& reports) {
  std::vector<ComparedRow> rows;
  AddDenseRows(reports, rows);
  AddResultRows(reports, rows);
  AddBaselineRows(reports, rows);
  std::set<std::string> taken;
  for (ComparedRow& row : rows) row.label = Unique(row.label, taken);
  return rows;
}

}  // namespace tersor
