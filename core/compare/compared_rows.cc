#include "core/compare/compared_rows.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

bool IsDenseJob(const v1::Report& report) { return ResultSide(report).subject == kDenseSubject; }

bool HasDenseFigures(const v1::Report& report) {
  const auto dense = [](const auto& result) { return result.subject() == kDenseSubject; };
  return report.has_size() || std::any_of(report.perplexity().begin(), report.perplexity().end(), dense) ||
         std::any_of(report.tasks().begin(), report.tasks().end(), dense);
}

// Contents tell models apart; names do where a report has no hash.
std::string Identity(const v1::Report& report) {
  return report.model().sha256().empty() ? report.model().name() : report.model().sha256();
}

void AddDenseRows(const std::vector<NamedReport>& reports, std::vector<ComparedRow>& rows) {
  for (const NamedReport& named : reports) {
    if (IsDenseJob(named.report) || !HasDenseFigures(named.report)) continue;
    const auto same = [&](const ComparedRow& row) { return Identity(row.report()) == Identity(named.report); };
    const auto row = std::find_if(rows.begin(), rows.end(), same);
    if (row != rows.end()) {
      row->sides.push_back(DenseSide(named.report));
      continue;
    }
    rows.push_back({.sides = {DenseSide(named.report)}, .label = "dense", .dense = true});
  }
  if (rows.size() < 2) return;
  for (ComparedRow& row : rows) row.label = absl::StrCat("dense ", row.report().model().name());
}

std::string Unique(const std::string& label, std::set<std::string>& taken) {
  std::string unique = label;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = absl::StrCat(label, " (", i, ")");
  return unique;
}

}  // namespace

const v1::PerplexityResult* ComparedRow::Perplexity(absl::string_view hash) const {
  for (const ReportSide& side : sides) {
    if (const v1::PerplexityResult* result = side.Perplexity(hash); result != nullptr) return result;
  }
  return nullptr;
}

const v1::TaskResult* ComparedRow::Task(absl::string_view task) const {
  for (const ReportSide& side : sides) {
    if (const v1::TaskResult* result = side.Task(task); result != nullptr) return result;
  }
  return nullptr;
}

std::vector<ComparedRow> ComparedRows(const std::vector<NamedReport>& reports) {
  std::vector<ComparedRow> rows;
  AddDenseRows(reports, rows);
  const size_t dense_rows = rows.size();
  for (const NamedReport& named : reports) {
    ComparedRow row = {.sides = {ResultSide(named.report)}, .label = named.name};
    for (size_t i = 0; i < dense_rows; ++i) {
      if (Identity(rows[i].report()) == Identity(named.report)) row.reference = static_cast<int>(i);
    }
    rows.push_back(std::move(row));
  }
  for (size_t i = 0; i < dense_rows; ++i) rows[i].reference = static_cast<int>(i);
  std::set<std::string> taken;
  for (ComparedRow& row : rows) row.label = Unique(row.label, taken);
  return rows;
}

}  // namespace tersor
