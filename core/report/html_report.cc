#include "absl/strings/str_cat.h"
#include "core/report/escape.h"
#include "core/report/html_chart.h"
#include "core/report/report_format.h"
#include "core/report/report_sections.h"

namespace tersor {
namespace {

constexpr absl::string_view kStyle = R"(
:root { --ink: #1b1f24; --soft: #5b6570; --line: #d8dde3; --ours: #2166ac; --theirs: #9fb3c8; --noted: #c2571a; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 64rem; margin: 2rem auto; padding: 0 1.25rem; }
header { border-left: 6px solid var(--verdict); padding: .3rem 0 .3rem 1rem; margin-bottom: 1.5rem; }
header h1 { font-size: 1.35rem; line-height: 1.35; margin: 0; }
header p { margin: .2rem 0 0; color: var(--soft); }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .5rem; break-after: avoid; }
table { border-collapse: collapse; min-width: 60%; max-width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td.r, th.r { text-align: right; white-space: nowrap; }
td.long { overflow-wrap: anywhere; }
td code { overflow-wrap: break-word; white-space: nowrap; }
tr { break-inside: avoid; }
code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: #f4f6f8; padding: .7rem .9rem; white-space: pre-wrap; border-radius: 4px; margin: .3rem 0 1rem; }
.note { color: var(--soft); margin: .4rem 0; }
.PASS { color: #1a7f37; font-weight: 600; } .FAIL { color: #c0272d; font-weight: 600; }
.INCONCLUSIVE { color: #9a6700; font-weight: 600; }
svg { display: block; width: 100%; margin: .7rem 0; }
svg.bars { max-width: 45rem; } svg.profile { height: 7.5rem; border-bottom: 1px solid var(--line); }
svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.ours { fill: var(--ours); } .theirs { fill: var(--theirs); } .noted { fill: var(--noted); }
figure { margin: 0; } figcaption { color: var(--soft); font-size: .85rem; }
summary { cursor: pointer; color: var(--soft); }
@media print { body { margin: 0; max-width: none; font-size: 12px; } pre { border: 1px solid var(--line); }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)";

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

std::string Cell(const ReportSection& section, size_t column, const std::string& text) {
  const std::string escaped = EscapeXml(text);
  if (section.columns[column].right) return absl::StrCat("<td class=\"r\">", escaped, "</td>");
  // The words of GateOutcome are class names too.
  if (section.columns[column].header == "outcome") {
    return absl::StrCat("<td class=\"", escaped, "\">", escaped, "</td>");
  }
  if (section.code && column == 0) return absl::StrCat("<td><code>", escaped, "</code></td>");
  const bool last = column + 1 == section.columns.size();
  return absl::StrCat(last ? "<td class=\"long\">" : "<td>", escaped, "</td>");
}

std::string Table(const ReportSection& section) {
  std::string out = "<table>\n", headers;
  bool named = false;
  for (const ReportColumn& column : section.columns) {
    absl::StrAppend(&headers, column.right ? "<th class=\"r\">" : "<th>", EscapeXml(column.header), "</th>");
    named |= !column.header.empty();
  }
  if (named) absl::StrAppend(&out, "<thead><tr>", headers, "</tr></thead>\n");
  out += "<tbody>\n";
  for (const std::vector<std::string>& row : section.rows) {
    out += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) out += Cell(section, c, row[c]);
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string Section(const v1::Report& report, const ReportSection& section) {
  std::string out = absl::StrCat("<section><h2>", EscapeXml(section.title), "</h2>\n");
  const bool layers = section.title == "Layers";
  if (layers) {
    absl::StrAppend(&out, LayerErrorChart(report), "<details><summary>All layers</summary>\n", Table(section),
                    "</details>\n");
  } else if (!section.rows.empty()) {
    out += Table(section);
  }
  if (!section.note.empty()) absl::StrAppend(&out, "<p class=\"note\">", EscapeXml(section.note), "</p>\n");
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
  const std::string name = EscapeXml(report.model().name().empty() ? "model" : report.model().name());
  std::string out = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>",
      VerdictWord(report.verdict()), ": ", name, " - Tersor</title>\n<style>", kStyle,
      "</style></head>\n<body style=\"", "--verdict: ", VerdictColour(report.verdict()), "\">\n<header><h1>",
      EscapeXml(ReportHeadline(report)), "</h1>\n<p>", name, "</p></header>\n<main>\n");
  for (const ReportSection& section : ReportSections(report, {.all_layers = true})) out += Section(report, section);
  return absl::StrCat(out, LoadCommands(report), "</main></body></html>\n");
}

}  // namespace tersor
