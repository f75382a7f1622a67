#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/report/escape.h"
#include "core/report/report_format.h"
#include "core/report/report_sections.h"
#include "core/report/text_table.h"

namespace tersor {
namespace {

// Word for word: only what would steer the terminal is replaced.
std::string LoadCommands(const v1::Report& report) {
  if (report.load_commands().empty()) return "";
  std::string out = "\nLoad the files\n";
  for (const v1::LoadCommand& command : report.load_commands()) {
    absl::StrAppend(&out, "  ", EscapeTerminal(command.program()), "\n");
    for (const absl::string_view line : absl::StrSplit(command.command(), '\n')) {
      absl::StrAppend(&out, "    ", EscapeTerminal(line), "\n");
    }
  }
  return out;
}

}  // namespace

std::string ReportToTable(const v1::Report& report, int width) {
  std::string out = absl::StrCat(WrapText(EscapeTerminal(ReportHeadline(report)), width, 0), "\n");
  for (const ReportSection& section : ReportSections(report)) {
    absl::StrAppend(&out, "\n", section.title, "\n", TextTable(section, width));
    if (!section.note.empty()) {
      absl::StrAppend(&out, "  ", WrapText(EscapeTerminal(section.note), width - 2, 2), "\n");
    }
  }
  return out + LoadCommands(report);
}

}  // namespace tersor
