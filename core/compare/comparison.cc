#include "core/compare/comparison.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/warning.h"
#include "core/compare/compared_figures.h"
#include "core/compare/compared_rows.h"
#include "core/compare/figure_faults.h"
#include "core/compare/pareto.h"
#include "core/recipe/method_text.h"

namespace tersor {
namespace {

void AddModels(const std::vector<ComparedRow>& rows, const std::vector<FigureColumn>& columns, double confidence,
               v1::ReportComparison& comparison) {
  for (const ComparedRow& row : rows) {
    v1::ComparedModel* model = comparison.add_models();
    model->set_label(row.label);
    model->set_model(row.baseline_model() ? row.report().baseline_model().name() : row.report().model().name());
    model->set_dense(row.dense());
    model->set_baseline_model(row.baseline_model());
    if (row.kind == RowKind::kResult) {
      model->set_job_id(row.report().job_id());
      model->set_method(MethodText(row.report().recipe()));
      // Without gates nothing was judged, but that its figures are numbers.
      const bool judged = !row.report().gates().empty() || !FiguresWithoutNumber(row.report()).empty();
      if (judged) model->set_verdict(row.report().verdict());
      *model->mutable_labels() = row.report().labels();
      model->set_sweep(row.sweep);
    }
    for (const FigureColumn& column : columns) {
      *model->add_values() = column.read(row, rows[row.reference], confidence);
    }
  }
}

// Index of the figure, or -1.
int FindFigure(const v1::ReportComparison& comparison, const std::function<bool(const v1::ComparedFigure&)>& fits) {
  for (int i = 0; i < comparison.figures_size(); ++i) {
    if (fits(comparison.figures(i))) return i;
  }
  return -1;
}

// What the compared jobs reach: a rival's quality is none of their merit.
double AreaOf(std::vector<ParetoPoint> points, const ParetoPoint& origin, const v1::ReportComparison& comparison) {
  std::erase_if(points, [&](const ParetoPoint& point) { return comparison.models(point.index).baseline_model(); });
  return ParetoArea(points, origin);
}

void AddFront(int quality, int cost, v1::ReportComparison& comparison) {
  std::vector<ParetoPoint> points;
  int reference = -1;
  for (int i = 0; i < comparison.models_size(); ++i) {
    const v1::ComparedModel& model = comparison.models(i);
    const double raw = model.values(quality).value(), price = model.values(cost).value();
    if (!model.values(quality).measured() || !model.values(cost).measured()) continue;
    if (!(raw > 0) || !std::isfinite(raw) || !(price > 0) || !std::isfinite(price)) continue;
    points.push_back({i, price, comparison.figures(quality).higher_is_better() ? raw : 1 / raw});
    if (model.dense() && reference < 0) reference = static_cast<int>(points.size()) - 1;
  }
  if (points.size() < 2) return;
  const auto costlier = [](const ParetoPoint& a, const ParetoPoint& b) { return a.cost < b.cost; };
  const auto below = [&](const ParetoPoint& a, const ParetoPoint& b) {
    const bool rival_a = comparison.models(a.index).baseline_model(),
               rival_b = comparison.models(b.index).baseline_model();
    return rival_a != rival_b ? rival_a : costlier(a, b);
  };
  const ParetoPoint origin = reference < 0 ? *std::max_element(points.begin(), points.end(), below) : points[reference];
  v1::ParetoFront* front = comparison.add_fronts();
  front->set_quality(comparison.figures(quality).name());
  front->set_cost(comparison.figures(cost).name());
  front->set_reference(origin.index);
  front->set_area(AreaOf(points, origin, comparison));
  for (const ParetoPoint& point : ParetoFrontOf(points)) front->add_front(point.index);
  std::stable_sort(points.begin(), points.end(), costlier);
  for (const ParetoPoint& point : points) front->add_models(point.index);
}

void AddFronts(v1::ReportComparison& comparison) {
  const auto named = [&](absl::string_view name) {
    return FindFigure(comparison, [&](const v1::ComparedFigure& figure) { return figure.name() == name; });
  };
  const int perplexity = FindFigure(
      comparison, [](const v1::ComparedFigure& figure) { return figure.name().rfind("perplexity[", 0) == 0; });
  for (const int quality : {named("mean_accuracy"), perplexity}) {
    for (const int cost : {named("bytes"), named("decode_ms_per_token")}) {
      if (quality >= 0 && cost >= 0) AddFront(quality, cost, comparison);
    }
  }
}

// Perplexities that ComparedRow::Perplexities leaves out.
void WarnOfTokenizers(const std::vector<ComparedRow>& rows, v1::ReportComparison& comparison) {
  for (const ComparedRow& row : rows) {
    if (!row.baseline_model()) continue;
    int64_t all = 0;
    for (const ReportSide& side : row.sides) {
      all += std::count_if(side.report->perplexity().begin(), side.report->perplexity().end(),
                           [&](const v1::PerplexityResult& result) { return result.subject() == side.subject; });
    }
    if (all == static_cast<int64_t>(row.Perplexities().size())) continue;
    *comparison.add_warnings() =
        MakeWarning("TOKENIZERS_DIFFER",
                    absl::StrCat(row.label,
                                 " has a tokenizer of its own: its perplexities per token are left out, as they are no "
                                 "measure beside the others"));
  }
}

// Speeds of different machines say more about these than about the models.
void WarnOfMachines(const std::vector<NamedReport>& reports, v1::ReportComparison& comparison) {
  std::set<std::string> machines;
  for (const NamedReport& named : reports) {
    if (named.report.performance().empty()) continue;
    const v1::Environment& environment = named.report.environment();
    machines.insert(absl::StrCat(environment.cpu(), ", ", environment.isa(), ", ", environment.threads(), " threads"));
  }
  if (machines.size() < 2) return;
  *comparison.add_warnings() = MakeWarning(
      "MACHINES_DIFFER", absl::StrCat("speeds were measured on different machines: ", absl::StrJoin(machines, "; ")));
}

}  // namespace

absl::StatusOr<v1::ReportComparison> CompareReports(const std::vector<NamedReport>& reports,
                                                    const CompareOptions& options) {
  if (reports.empty()) return absl::InvalidArgumentError("there is nothing to compare");
  if (reports.size() > kMaxComparedReports) {
    return absl::InvalidArgumentError(
        absl::StrCat(reports.size(), " reports are too many to compare; at most ", kMaxComparedReports));
  }
  if (!(options.confidence >= 0.5 && options.confidence <= 0.9999)) {
    return absl::InvalidArgumentError(
        absl::StrCat("confidence is ", options.confidence, "; it lies between 0.5 and 0.9999"));
  }
  const std::vector<ComparedRow> rows = ComparedRows(reports);
  const std::vector<std::string> conflicts = ProtocolConflicts(rows);
  if (!conflicts.empty() && !options.force) {
    return absl::FailedPreconditionError(
        absl::StrCat("measured under different protocols, so that their figures say nothing of each other:\n  ",
                     absl::StrJoin(conflicts, "\n  "), "\nforce puts them side by side all the same"));
  }
  v1::ReportComparison comparison;
  comparison.set_confidence(options.confidence);
  const std::vector<FigureColumn> columns = FigureColumns(rows, !conflicts.empty());
  for (const FigureColumn& column : columns) *comparison.add_figures() = column.figure;
  AddModels(rows, columns, options.confidence, comparison);
  AddFronts(comparison);
  comparison.mutable_warnings()->Add(options.warnings.begin(), options.warnings.end());
  for (const std::string& conflict : conflicts) {
    *comparison.add_warnings() = MakeWarning("PROTOCOLS_DIFFER", conflict);
  }
  WarnOfTokenizers(rows, comparison);
  WarnOfMachines(reports, comparison);
  return comparison;
}

}  // namespace tersor
