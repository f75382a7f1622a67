// Tables of GitHub's Markdown.
#ifndef TERSOR_CORE_REPORT_MARKDOWN_TABLE_H_
#define TERSOR_CORE_REPORT_MARKDOWN_TABLE_H_

#include <string>

#include "core/report/report_sections.h"

namespace tersor {

// Header, rule, rows; cells are escaped.
std::string MarkdownTable(const ReportSection& section);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_MARKDOWN_TABLE_H_
