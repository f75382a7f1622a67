#include "core/report/markdown_table.h"

#include "absl/strings/str_cat.h"
#include "core/report/escape.h"

namespace tersor {
namespace {

std::string Row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) absl::StrAppend(&line, " ", cell, " |");
  return line + "\n";
}

}  // namespace

std::string MarkdownTable(const ReportSection& section) {
  std::vector<std::string> headers, rules;
  for (const ReportColumn& column : section.columns) {
    headers.push_back(EscapeMarkdown(column.header));
    rules.push_back(column.right ? "---:" : "---");
  }
  std::string out = Row(headers) + Row(rules);
  for (const std::vector<std::string>& row : section.rows) {
    std::vector<std::string> cells;
    for (const std::string& cell : row) cells.push_back(EscapeMarkdown(cell));
    out += Row(cells);
  }
  return out;
}

}  // namespace tersor
