// Aligned columns for a terminal.
#ifndef TERSOR_CORE_REPORT_TEXT_TABLE_H_
#define TERSOR_CORE_REPORT_TEXT_TABLE_H_

#include <string>

#include "core/report/report_sections.h"

namespace tersor {

// The section's rows, two blanks between columns, each line indented by two. A last column of words is wrapped at
// `width`; other columns are as wide as they must be. Cells are escaped for a terminal.
std::string TextTable(const ReportSection& section, int width);
// `text` in lines of at most `width` characters, broken at blanks; every line but the first begins with `indent`
// blanks.
std::string WrapText(absl::string_view text, int width, int indent);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_TEXT_TABLE_H_
