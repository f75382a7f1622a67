#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/report/comparison_format.h"
#include "core/report/comparison_text.h"
#include "core/report/number_text.h"

namespace tersor {
namespace {

constexpr int kWidestModels = 6;

bool Named(const v1::ComparedFigure& figure, absl::string_view name) { return figure.name() == name; }

// What people look at first: one figure of each kind that there is.
std::vector<int> HeadFigures(const v1::ReportComparison& comparison) {
  std::vector<int> head;
  bool perplexity = false;
  for (int i = 0; i < comparison.figures_size(); ++i) {
    const v1::ComparedFigure& figure = comparison.figures(i);
    const bool first_perplexity = !perplexity && figure.name().rfind("perplexity[", 0) == 0;
    perplexity |= first_perplexity;
    if (first_perplexity || Named(figure, "mean_accuracy") || Named(figure, "kl_mean") || Named(figure, "bytes") ||
        Named(figure, "size_ratio") || Named(figure, "decode_ms_per_token")) {
      head.push_back(i);
    }
  }
  return head;
}

ReportSection ModelsSection(const v1::ReportComparison& comparison) {
  ReportSection section{.title = "Models", .columns = {{"#", true}, {"model"}}};
  const std::vector<int> head = HeadFigures(comparison);
  for (const int i : head) section.columns.push_back({FigureHeader(comparison.figures(i)), true});
  const auto& models = comparison.models();
  const bool judged = std::any_of(models.begin(), models.end(), [](const v1::ComparedModel& model) {
    return model.verdict() != v1::VERDICT_UNSPECIFIED;
  });
  if (judged) section.columns.push_back({"outcome"});
  for (int m = 0; m < comparison.models_size(); ++m) {
    const v1::ComparedModel& model = comparison.models(m);
    std::vector<std::string> row = {absl::StrCat(m + 1), model.label()};
    for (const int i : head) row.push_back(ValueText(comparison.figures(i), model.values(i)));
    if (judged) {
      row.push_back(model.verdict() == v1::VERDICT_UNSPECIFIED ? "" : std::string(VerdictWord(model.verdict())));
    }
    section.rows.push_back(std::move(row));
  }
  return section;
}

ReportSection MethodsSection(const v1::ReportComparison& comparison) {
  ReportSection section{.title = "What was done", .columns = {{"#", true}, {"model"}, {"of"}, {"how"}}};
  for (int m = 0; m < comparison.models_size(); ++m) {
    const v1::ComparedModel& model = comparison.models(m);
    const std::string how = model.dense()            ? "nothing: 16 bits per parameter"
                            : model.baseline_model() ? "nothing: a smaller dense model beside the others"
                                                     : model.method();
    section.rows.push_back(
        {absl::StrCat(m + 1), model.label(), model.model(), how.empty() ? "evaluated as it is" : how});
  }
  return section;
}

// Models across where they fit, else a row a model and figure.
ReportSection FiguresSection(const v1::ReportComparison& comparison) {
  ReportSection section{.title = "All figures"};
  if (comparison.models_size() > kWidestModels) {
    section.columns = {{"figure"}, {"#", true}, {"model"}, {"value", true}};
    for (int i = 0; i < comparison.figures_size(); ++i) {
      for (int m = 0; m < comparison.models_size(); ++m) {
        const v1::ComparedModel& model = comparison.models(m);
        if (!model.values(i).measured()) continue;
        section.rows.push_back({comparison.figures(i).name(), absl::StrCat(m + 1), model.label(),
                                ValueText(comparison.figures(i), model.values(i), true)});
      }
    }
    return section;
  }
  section.columns = {{"figure"}};
  for (int m = 0; m < comparison.models_size(); ++m) {
    section.columns.push_back({absl::StrCat(m + 1, " ", comparison.models(m).label()), true});
  }
  for (int i = 0; i < comparison.figures_size(); ++i) {
    std::vector<std::string> row = {comparison.figures(i).name()};
    for (const v1::ComparedModel& model : comparison.models()) {
      row.push_back(ValueText(comparison.figures(i), model.values(i), true));
    }
    section.rows.push_back(std::move(row));
  }
  section.note = "A value +- its standard error.";
  return section;
}

ReportSection ChangesSection(const v1::ReportComparison& comparison) {
  ReportSection section{
      .title = "Changes against the dense original",
      .columns = {{"figure"}, {"#", true}, {"model"}, {"change", true}, {"interval", true}, {"p", true}}};
  for (int i = 0; i < comparison.figures_size(); ++i) {
    for (int m = 0; m < comparison.models_size(); ++m) {
      const v1::ComparedModel::Value& value = comparison.models(m).values(i);
      if (!value.has_change_interval()) continue;
      const bool ratio = comparison.figures(i).name().rfind("perplexity[", 0) == 0;
      section.rows.push_back({comparison.figures(i).name(), absl::StrCat(m + 1), comparison.models(m).label(),
                              absl::StrCat(ratio ? "x" : "drop ", FigureText(value.change(), 3)),
                              absl::StrCat(FigureText(value.change_interval().low(), 3), " to ",
                                           FigureText(value.change_interval().high(), 3)),
                              value.mcnemar_p() > 0 ? FigureText(value.mcnemar_p(), 2) : ""});
    }
  }
  section.note = absl::StrCat(
      FigureText(100 * comparison.confidence(), 4),
      " % intervals, paired on the same items and blocks of text (the first model stands in where there is no dense "
      "original). A positive drop is a loss; p: McNemar's exact test.");
  if (section.rows.empty()) section.note.clear();
  return section;
}

ReportSection FrontsSection(const v1::ReportComparison& comparison) {
  ReportSection section{.title = "Pareto fronts",
                        .columns = {{"quality"}, {"cost"}, {"area", true}, {"the best at their cost, by rising cost"}}};
  for (const v1::ParetoFront& front : comparison.fronts()) {
    std::vector<std::string> members;
    for (const int m : front.front()) members.push_back(absl::StrCat(m + 1, " ", comparison.models(m).label()));
    section.rows.push_back({front.quality(), front.cost(), FigureText(front.area(), 3), absl::StrJoin(members, ", ")});
  }
  if (!section.rows.empty()) {
    section.note =
        "The best at its cost: no other model costs at most as much and is at least as good. "
        "Area: the share of the dense model's quality that the best model within a budget keeps, averaged over budgets "
        "from a sixteenth of the dense cost to all of it (logarithmically; budgets below every model count as 0).";
  }
  return section;
}

ReportSection WarningsSection(const v1::ReportComparison& comparison) {
  ReportSection section{.title = "Warnings", .columns = {{"code"}, {"message"}}, .code = true};
  for (const v1::Warning& warning : comparison.warnings()) section.rows.push_back({warning.code(), warning.message()});
  return section;
}

}  // namespace

std::string FigureHeader(const v1::ComparedFigure& figure) {
  if (figure.name() == "mean_accuracy") return figure.title();
  if (figure.name().rfind("perplexity[", 0) == 0) return "perplexity";
  if (figure.name() == "kl_mean") return "KL mean";
  if (figure.name() == "bytes") return "size";
  if (figure.name() == "size_ratio") return "ratio";
  if (figure.name() == "decode_ms_per_token") return "decode ms/token";
  return figure.name();
}

std::string ValueText(const v1::ComparedFigure& figure, const v1::ComparedModel::Value& value, bool with_error) {
  if (!value.measured()) return "";
  if (figure.name().find("bytes") != std::string::npos && figure.kind() == v1::FIGURE_KIND_SIZE &&
      std::isfinite(value.value()))
    return BytesText(std::llround(value.value()));
  if (figure.name() == "size_ratio") return RatioText(value.value());
  const std::string text = FigureText(value.value());
  return with_error && value.has_standard_error() ? absl::StrCat(text, " +- ", FigureText(value.standard_error(), 2))
                                                  : text;
}

std::vector<ReportSection> ComparisonSections(const v1::ReportComparison& comparison) {
  std::vector<ReportSection> sections = {WarningsSection(comparison), ModelsSection(comparison),
                                         MethodsSection(comparison),  FrontsSection(comparison),
                                         ChangesSection(comparison),  FiguresSection(comparison)};
  std::erase_if(sections, [](const ReportSection& section) { return section.rows.empty(); });
  return sections;
}

}  // namespace tersor
