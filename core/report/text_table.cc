#include "core/report/text_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/report/escape.h"

namespace tersor {
namespace {

constexpr int kIndent = 2;
constexpr int kGap = 2;
// A wrapped column is not squeezed below this.
constexpr int kLeastWrapped = 24;

std::vector<size_t> ColumnWidths(const ReportSection& section) {
  std::vector<size_t> widths;
  for (size_t c = 0; c < section.columns.size(); ++c) {
    size_t width = CharacterCount(section.columns[c].header);
    for (const std::vector<std::string>& row : section.rows) width = std::max(width, CharacterCount(row[c]));
    widths.push_back(width);
  }
  return widths;
}

std::string Padded(const std::string& cell, size_t width, bool right) {
  const std::string blanks(width - std::min(width, CharacterCount(cell)), ' ');
  return right ? blanks + cell : cell + blanks;
}

std::string Line(const ReportSection& section, const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                 int width) {
  std::string line(kIndent, ' ');
  const size_t last = cells.size() - 1;
  for (size_t c = 0; c < last; ++c) {
    absl::StrAppend(&line, Padded(cells[c], widths[c], section.columns[c].right), std::string(kGap, ' '));
  }
  const int start = static_cast<int>(CharacterCount(line));
  if (section.columns[last].right) {
    line += Padded(cells[last], widths[last], true);
  } else {
    line += WrapText(cells[last], std::max(width - start, kLeastWrapped), start);
  }
  return absl::StrCat(absl::StripTrailingAsciiWhitespace(line), "\n");
}

}  // namespace

std::string WrapText(absl::string_view text, int width, int indent) {
  std::string out;
  size_t column = 0;
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const size_t length = CharacterCount(word);
    if (column > 0 && column + 1 + length > width) {
      absl::StrAppend(&out, "\n", std::string(indent, ' '));
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    absl::StrAppend(&out, word);
    column += length;
  }
  return out;
}

std::string TextTable(const ReportSection& raw, int width) {
  ReportSection section = raw;
  for (std::vector<std::string>& row : section.rows) {
    for (std::string& cell : row) cell = EscapeTerminal(cell);
  }
  const std::vector<size_t> widths = ColumnWidths(section);
  std::vector<std::string> headers;
  for (const ReportColumn& column : section.columns) headers.push_back(column.header);
  std::string out;
  const bool named = std::any_of(headers.begin(), headers.end(), [](const std::string& name) { return !name.empty(); });
  if (named && !section.rows.empty()) out += Line(section, headers, widths, width);
  for (const std::vector<std::string>& row : section.rows) out += Line(section, row, widths, width);
  return out;
}

}  // namespace tersor
