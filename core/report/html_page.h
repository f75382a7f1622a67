// One page of HTML: no network, reads well on paper.
#ifndef TERSOR_CORE_REPORT_HTML_PAGE_H_
#define TERSOR_CORE_REPORT_HTML_PAGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/report/report_sections.h"

namespace tersor {

// Raw text but for `body`, which is HTML, and `accent`, a colour of CSS.
struct HtmlPageParts {
  std::string title;
  std::string headline;
  std::string subtitle;
  absl::string_view accent;
  std::string body;
};
std::string HtmlPage(const HtmlPageParts& parts);

// Cells are escaped; those of a column "outcome" are coloured by what they say.
std::string HtmlTable(const ReportSection& section);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_HTML_PAGE_H_
