#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/report/escape.h"
#include "core/report/markdown_table.h"
#include "core/report/report_format.h"
#include "core/report/report_sections.h"

namespace tersor {
namespace {

// Longer than every run of backticks inside, so that nothing inside can end the block.
std::string Fence(absl::string_view text) {
  size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return std::string(std::max<size_t>(3, longest + 1), '`');
}

std::string LoadCommands(const v1::Report& report) {
  std::string out;
  for (const v1::LoadCommand& command : report.load_commands()) {
    const std::string fence = Fence(command.command());
    absl::StrAppend(&out, "\n", EscapeMarkdown(command.program()), ":\n", fence, "\n", command.command(), "\n", fence,
                    "\n");
  }
  return out.empty() ? out : "\n#### Load the files\n" + out;
}

bool Folded(const ReportSection& section) { return section.title == "Stages" || section.title == "Model"; }

}  // namespace

std::string ReportToMarkdown(const v1::Report& report) {
  std::string out = absl::StrCat("### Tersor: ", EscapeMarkdown(ReportHeadline(report)), "\n");
  std::string folded;
  for (const ReportSection& section : ReportSections(report)) {
    std::string text = absl::StrCat("\n#### ", section.title, "\n");
    if (!section.rows.empty()) absl::StrAppend(&text, "\n", MarkdownTable(section));
    if (!section.note.empty()) absl::StrAppend(&text, "\n", EscapeMarkdown(section.note), "\n");
    (Folded(section) ? folded : out) += text;
  }
  if (!folded.empty()) {
    absl::StrAppend(&out, "\n<details><summary>Model and stages</summary>\n", folded, "\n</details>\n");
  }
  return out + LoadCommands(report);
}

}  // namespace tersor
