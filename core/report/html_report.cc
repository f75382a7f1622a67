#include "absl/strings/str_cat.h"
#include "core/compare/report_names.h"
#include "core/report/escape.h"
#include "core/report/html_chart.h"
#include "core/report/html_page.h"
#include "core/report/report_format.h"
#include "core/report/report_sections.h"
#include "core/report/sweep_section.h"

namespace tersor {
namespace {

absl::string_view VerdictColour(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASS:
      return "#1a7f37";
    case v1::VERDICT_FAIL:
      return "#c0272d";
    default:
      return "#9a6700";
  }
}

std::string Section(const v1::Report& report, const ReportSection& section) {
  std::string out = absl::StrCat("<section><h2>", EscapeXml(section.title), "</h2>\n");
  const bool layers = section.title == "Layers";
  if (layers) {
    absl::StrAppend(&out, LayerErrorChart(report), "<details><summary>All layers</summary>\n", HtmlTable(section),
                    "</details>\n");
  } else if (!section.rows.empty()) {
    out += HtmlTable(section);
  }
  if (!section.note.empty()) absl::StrAppend(&out, "<p class=\"note\">", EscapeXml(section.note), "</p>\n");
  if (section.title == "Sweep") out += SweepChart(report);
  for (const std::vector<ReportBar>& chart : section.charts) out += BarChart(chart);
  return out + "</section>\n";
}

std::string LoadCommands(const v1::Report& report) {
  if (report.load_commands().empty()) return "";
  std::string out = "<section><h2>Load the files</h2>\n";
  for (const v1::LoadCommand& command : report.load_commands()) {
    absl::StrAppend(&out, "<div>", EscapeXml(command.program()), "</div><pre>", EscapeXml(command.command()),
                    "</pre>\n");
  }
  return out + "</section>\n";
}

}  // namespace

std::string ReportToHtml(const v1::Report& report) {
  std::string model = report.model().name().empty() ? "model" : report.model().name();
  if (report.has_sweep()) model = SweepTitle(report);
  const std::string labels = LabelsText(report.labels());
  const std::string name = labels.empty() ? model : absl::StrCat(model, ", ", labels);
  std::string body;
  for (const ReportSection& section : ReportSections(report, {.all_layers = true})) body += Section(report, section);
  const bool judged = !report.has_sweep() || report.verdict() != v1::VERDICT_UNSPECIFIED;
  return HtmlPage(
      {.title = absl::StrCat(judged ? absl::StrCat(VerdictWord(report.verdict()), ": ") : "", name, " - Tersor"),
       .headline = ReportHeadline(report),
       .subtitle = name,
       .accent = VerdictColour(report.verdict()),
       .body = absl::StrCat(body, LoadCommands(report))});
}

}  // namespace tersor
