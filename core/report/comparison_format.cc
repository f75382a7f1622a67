#include "core/report/comparison_format.h"

#include "absl/strings/str_cat.h"
#include "core/report/comparison_text.h"
#include "core/report/escape.h"
#include "core/report/html_page.h"
#include "core/report/html_scatter.h"
#include "core/report/markdown_table.h"
#include "core/report/number_text.h"
#include "core/report/text_table.h"

namespace tersor {
namespace {

constexpr absl::string_view kAccent = "#2166ac";
constexpr int kMostNames = 16;

int FigureIndex(const v1::ReportComparison& comparison, absl::string_view name) {
  for (int i = 0; i < comparison.figures_size(); ++i) {
    if (comparison.figures(i).name() == name) return i;
  }
  return 0;
}

bool Contains(const google::protobuf::RepeatedField<int32_t>& list, int value) {
  for (const int one : list) {
    if (one == value) return true;
  }
  return false;
}

std::string FrontChart(const v1::ReportComparison& comparison, const v1::ParetoFront& front) {
  const int quality = FigureIndex(comparison, front.quality()), cost = FigureIndex(comparison, front.cost());
  ScatterPlot plot;
  // Ticks carry their unit.
  plot.x_title = front.cost() == "bytes" ? "size of the weights" : comparison.figures(cost).title();
  plot.y_title = FigureHeader(comparison.figures(quality));
  plot.x_text = [&](double x) {
    return front.cost() == "bytes" ? BytesText(static_cast<int64_t>(x)) : FigureText(x, 3);
  };
  plot.y_text = [](double y) { return FigureText(y, 3); };
  plot.higher_is_better = comparison.figures(quality).higher_is_better();
  bool rivals = false;
  for (const int m : front.models()) {
    const v1::ComparedModel& model = comparison.models(m);
    const std::string number = absl::StrCat(m + 1);
    plot.points.push_back(
        {.label = front.models_size() > kMostNames ? number : absl::StrCat(number, " ", model.label()),
         .x = model.values(cost).value(),
         .y = model.values(quality).value(),
         .error = model.values(quality).standard_error(),
         .front = Contains(front.front(), m),
         .reference = model.dense(),
         .rival = model.baseline_model()});
    rivals |= model.baseline_model();
  }
  return absl::StrCat(
      "<figure>", ScatterChart(plot), "<figcaption>", EscapeXml(plot.y_title), " against ", EscapeXml(plot.x_title),
      ", better values higher up. Filled: no other model is at least as good in both; square: dense original; ",
      rivals ? "diamond: baseline model; " : "", "bars: one standard error. Area score ", FigureText(front.area(), 3),
      ".</figcaption></figure>\n");
}

}  // namespace

std::string ComparisonToTable(const v1::ReportComparison& comparison, int width) {
  std::string out = absl::StrCat(WrapText(EscapeTerminal(ComparisonHeadline(comparison)), width, 0), "\n");
  for (const ReportSection& section : ComparisonSections(comparison)) {
    absl::StrAppend(&out, "\n", section.title, "\n", TextTable(section, width));
    if (!section.note.empty()) {
      absl::StrAppend(&out, "  ", WrapText(EscapeTerminal(section.note), width - 2, 2), "\n");
    }
  }
  return out;
}

std::string ComparisonToMarkdown(const v1::ReportComparison& comparison) {
  std::string out = absl::StrCat("### Tersor: ", EscapeMarkdown(ComparisonHeadline(comparison)), "\n"), folded;
  for (const ReportSection& section : ComparisonSections(comparison)) {
    std::string text = absl::StrCat("\n#### ", section.title, "\n\n", MarkdownTable(section));
    if (!section.note.empty()) absl::StrAppend(&text, "\n", EscapeMarkdown(section.note), "\n");
    (section.title == "All figures" ? folded : out) += text;
  }
  if (!folded.empty()) absl::StrAppend(&out, "\n<details><summary>All figures</summary>\n", folded, "\n</details>\n");
  return out;
}

std::string ComparisonToHtml(const v1::ReportComparison& comparison) {
  std::string body;
  for (const ReportSection& section : ComparisonSections(comparison)) {
    absl::StrAppend(&body, "<section><h2>", EscapeXml(section.title), "</h2>\n", HtmlTable(section));
    if (!section.note.empty()) absl::StrAppend(&body, "<p class=\"note\">", EscapeXml(section.note), "</p>\n");
    if (section.title == "Pareto fronts") {
      for (const v1::ParetoFront& front : comparison.fronts()) body += FrontChart(comparison, front);
    }
    body += "</section>\n";
  }
  return HtmlPage({.title = "Comparison - Tersor",
                   .headline = ComparisonHeadline(comparison),
                   .subtitle = "Tersor",
                   .accent = kAccent,
                   .body = std::move(body)});
}

}  // namespace tersor
