#include "core/compare/quality_figures.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/mean_drop.h"
#include "core/compare/paired_results.h"
#include "core/compare/perplexity_error.h"

namespace tersor {
namespace {

constexpr size_t kHashCharacters = 8;

Interval FromMessage(const v1::Interval& interval) { return {interval.low(), interval.high()}; }

std::optional<double> ErrorOf(const v1::TaskResult::Metric& metric) {
  return metric.has_standard_error() ? std::optional<double>(metric.standard_error()) : std::nullopt;
}

bool HasMainScore(const RowTask& task) {
  const v1::TaskResult::Metric* metric = task.result == nullptr ? nullptr : FindMetric(*task.result, "");
  return metric != nullptr && metric->higher_is_better();
}

// What other rows have comes from several reports, and from those that result rows stand for.
bool IsOneReport(const ComparedRow& row) { return row.kind == RowKind::kResult; }

std::vector<TaskForm> FormsOf(const std::vector<ComparedRow>& rows, bool merge) {
  std::vector<const v1::TaskResult*> all;
  std::vector<std::vector<const v1::TaskResult*>> models;
  for (const ComparedRow& row : rows) {
    if (IsOneReport(row)) models.emplace_back();
    for (const RowTask& task : row.Tasks()) {
      all.push_back(task.form);
      if (!IsOneReport(row)) models.emplace_back();
      models.back().push_back(task.form);
    }
  }
  return merge ? MergedTaskForms(models) : TaskForms(all);
}

// The drop from the row that `row` is measured against; an error where there is none.
absl::StatusOr<v1::TaskComparison> DropOf(const ComparedRow& row, const ComparedRow& reference, const TaskForm& form,
                                          absl::string_view metric, double confidence) {
  const RowTask task = row.Task(form);
  // A baseline model was asked the very items of its report's dense model, whatever its hash.
  if (task.form != task.result) return CompareItems(*task.form, *task.result, metric, confidence);
  const v1::TaskResult* before = reference.Task(form, task.form->hash()).result;
  if (before == nullptr || before == task.result) return absl::NotFoundError("there is nothing to compare with");
  return CompareTask(*before, *task.result, metric, confidence);
}

FigureColumn TaskColumn(const std::vector<ComparedRow>& rows, const TaskForm& form) {
  const v1::TaskResult* first = nullptr;
  for (const ComparedRow& row : rows) first = first == nullptr ? row.Task(form).result : first;
  const v1::TaskResult::Metric* main = FindMetric(*first, "");
  const std::string metric = main == nullptr ? "" : main->name();
  FigureColumn column = MakeColumn(
      absl::StrCat("task.", form.label, ".", metric), absl::StrCat(form.label, " ", metric), v1::FIGURE_KIND_QUALITY,
      main != nullptr && main->higher_is_better(), form.hashes.size() == 1 ? *form.hashes.begin() : "");
  column.read = [form, metric](const ComparedRow& row, const ComparedRow& reference, double confidence) {
    const v1::TaskResult* task = row.Task(form).result;
    const v1::TaskResult::Metric* score = task == nullptr ? nullptr : FindMetric(*task, metric);
    if (score == nullptr) return FigureValue();
    FigureValue value = MeasuredFigure(score->value(), ErrorOf(*score));
    const auto comparison = DropOf(row, reference, form, metric, confidence);
    if (!comparison.ok()) return value;
    SetChange(comparison->drop(), FromMessage(comparison->interval()), confidence, value);
    value.set_mcnemar_p(comparison->mcnemar_p());
    return value;
  };
  return column;
}

// Over the tasks that every row has, so that the means speak of the same questions.
FigureColumn MeanColumn(const std::vector<TaskForm>& forms) {
  FigureColumn column =
      MakeColumn("mean_accuracy", absl::StrCat("mean of ", forms.size(), " tasks"), v1::FIGURE_KIND_QUALITY, true);
  if (forms.size() == 1) column.figure.set_title(forms[0].label);
  column.read = [forms](const ComparedRow& row, const ComparedRow& reference, double confidence) {
    double sum = 0, variance = 0;
    bool known = true;
    std::vector<v1::TaskComparison> comparisons;
    for (const TaskForm& form : forms) {
      const v1::TaskResult::Metric* metric = FindMetric(*row.Task(form).result, "");
      sum += metric->value();
      variance += metric->standard_error() * metric->standard_error();
      known &= metric->has_standard_error();
      auto comparison = DropOf(row, reference, form, "", confidence);
      if (comparison.ok()) comparisons.push_back(*std::move(comparison));
    }
    const auto count = static_cast<double>(forms.size());
    FigureValue value =
        MeasuredFigure(sum / count, known ? std::optional<double>(std::sqrt(variance) / count) : std::nullopt);
    if (comparisons.size() == forms.size()) {
      const MeanDrop mean = CombineDrops(comparisons);
      SetChange(mean.drop, mean.interval, confidence, value);
    }
    return value;
  };
  return column;
}

// ---- perplexities

// The protocols that stand in one column.
struct TextForm {
  std::string name;
  // The first of them.
  RowPerplexity first;
  std::set<std::string> hashes;

  // Of several the one of that hash, the first where none has it; null where there is none.
  const v1::PerplexityResult* Find(const ComparedRow& row, absl::string_view hash = {}) const {
    const v1::PerplexityResult* first = nullptr;
    for (const RowPerplexity& one : row.Perplexities()) {
      if (hashes.count(one.form->hash()) == 0) continue;
      if (one.form->hash() == hash) return one.result;
      if (first == nullptr) first = one.result;
    }
    return first;
  }
};

std::string TextName(const RowPerplexity& one) { return absl::StrCat(one.result->dataset(), ":", one.convention); }

// Names of which some report has several.
std::set<std::string> SeveralTexts(const std::vector<ComparedRow>& rows) {
  std::set<std::string> several;
  for (const ComparedRow& row : rows) {
    if (!IsOneReport(row)) continue;
    std::map<std::string, std::set<std::string>> hashes;
    for (const RowPerplexity& one : row.Perplexities()) {
      hashes[TextName(one)].insert(one.form->hash());
      if (hashes[TextName(one)].size() > 1) several.insert(TextName(one));
    }
  }
  return several;
}

// Adds what tells forms of one name apart: the protocol's words, and the hash where these are the same.
void NameApart(std::vector<TextForm>& forms) {
  for (const bool by_words : {true, false}) {
    std::map<std::string, int> count;
    for (const TextForm& form : forms) ++count[form.name];
    for (TextForm& form : forms) {
      if (count[form.name] < 2) continue;
      const v1::PerplexityResult& text = *form.first.form;
      absl::StrAppend(&form.name, ":", by_words ? text.protocol() : text.hash().substr(0, kHashCharacters));
    }
  }
}

std::vector<TextForm> TextsOf(const std::vector<ComparedRow>& rows, bool merge) {
  const std::set<std::string> several = SeveralTexts(rows);
  std::vector<TextForm> forms;
  std::map<std::string, size_t> known;
  for (const ComparedRow& row : rows) {
    for (const RowPerplexity& one : row.Perplexities()) {
      const std::string name = TextName(one);
      const bool together = merge && several.count(name) == 0;
      const auto [it, added] = known.try_emplace(together ? name : one.form->hash(), forms.size());
      if (added) forms.push_back({.name = name, .first = one, .hashes = {}});
      forms[it->second].hashes.insert(one.form->hash());
    }
  }
  NameApart(forms);
  return forms;
}

FigureColumn PerplexityColumn(const TextForm& form) {
  const v1::PerplexityResult& first = *form.first.form;
  FigureColumn column = MakeColumn(absl::StrCat("perplexity[", form.name, "]"),
                                   absl::StrCat("perplexity on ", first.dataset(), " (", first.protocol(), ")"),
                                   v1::FIGURE_KIND_QUALITY, false, form.hashes.size() == 1 ? first.hash() : "");
  column.read = [form](const ComparedRow& row, const ComparedRow& reference, double confidence) {
    const v1::PerplexityResult* result = form.Find(row);
    if (result == nullptr) return FigureValue();
    FigureValue value = MeasuredFigure(result->value(), PerplexityStandardError(*result));
    const v1::PerplexityResult* before = form.Find(reference, result->hash());
    if (before == nullptr || before == result) return value;
    const auto comparison = ComparePerplexity(*before, *result, confidence);
    if (!comparison.ok()) return value;
    SetChange(comparison->ratio(), FromMessage(comparison->interval()), confidence, value);
    return value;
  };
  return column;
}

}  // namespace

void AddTaskColumns(const std::vector<ComparedRow>& rows, bool merge, std::vector<FigureColumn>& columns) {
  const std::vector<TaskForm> forms = FormsOf(rows, merge);
  std::vector<TaskForm> common;
  for (const TaskForm& form : forms) {
    const auto scores = [&](const ComparedRow& row) { return HasMainScore(row.Task(form)); };
    if (std::all_of(rows.begin(), rows.end(), scores)) common.push_back(form);
  }
  if (!common.empty()) columns.push_back(MeanColumn(common));
  for (const TaskForm& form : forms) columns.push_back(TaskColumn(rows, form));
}

void AddPerplexityColumns(const std::vector<ComparedRow>& rows, bool merge, std::vector<FigureColumn>& columns) {
  for (const TextForm& form : TextsOf(rows, merge)) columns.push_back(PerplexityColumn(form));
}

}  // namespace tersor
