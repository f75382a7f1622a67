#include "core/report/html_page.h"

#include "absl/strings/str_cat.h"
#include "core/report/escape.h"

namespace tersor {
namespace {

constexpr absl::string_view kStyle = R"(
:root { --ink: #1b1f24; --soft: #5b6570; --line: #d8dde3; --ours: #2166ac; --theirs: #9fb3c8; --noted: #c2571a; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 64rem; margin: 2rem auto; padding: 0 1.25rem; }
header { border-left: 6px solid var(--accent); padding: .3rem 0 .3rem 1rem; margin-bottom: 1.5rem; }
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
svg.scatter { max-width: 48rem; break-inside: avoid; }
.scatter .grid { stroke: var(--line); stroke-width: 1; } .scatter .axis { stroke: var(--soft); stroke-width: 1; }
.scatter .error { stroke: var(--theirs); stroke-width: 1.5; } .scatter text.tick { font-size: 11.5px; fill: var(--soft); }
.scatter text.title { font-size: 12.5px; fill: var(--soft); } .scatter text.name { font-size: 12px; paint-order: stroke; stroke: #fff; stroke-width: 3px; }
.stairs { fill: none; stroke: var(--ours); stroke-width: 1.5; stroke-dasharray: 5 3; }
.member { fill: var(--ours); stroke: var(--ours); } .beaten { fill: #fff; stroke: var(--ours); stroke-width: 1.5; }
svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.ours { fill: var(--ours); } .theirs { fill: var(--theirs); } .noted { fill: var(--noted); }
figure { margin: 0; } figcaption { color: var(--soft); font-size: .85rem; }
summary { cursor: pointer; color: var(--soft); }
@media print { body { margin: 0; max-width: none; font-size: 12px; } pre { border: 1px solid var(--line); }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)";

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

}  // namespace

std::string HtmlTable(const ReportSection& section) {
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

std::string HtmlPage(const HtmlPageParts& parts) {
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>",
      EscapeXml(parts.title), "</title>\n<style>", kStyle, "</style></head>\n<body style=\"--accent: ", parts.accent,
      "\">\n<header><h1>", EscapeXml(parts.headline), "</h1>\n<p>", EscapeXml(parts.subtitle),
      "</p></header>\n<main>\n", parts.body, "</main></body></html>\n");
}

}  // namespace tersor
