// Text from users, made harmless for what it is put into. All of them replace bytes that are not UTF-8 by U+FFFD.
#ifndef TERSOR_CORE_REPORT_ESCAPE_H_
#define TERSOR_CORE_REPORT_ESCAPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tersor {

// Elements and quoted attributes of HTML and XML: & < > " ' as entities; characters that XML 1.0 forbids become U+FFFD.
std::string EscapeXml(absl::string_view text);
// Inline text and table cells of GitHub's Markdown: no markup, links, mentions or HTML; line ends become blanks.
std::string EscapeMarkdown(absl::string_view text);
// A terminal line: control characters (ESC, line ends, bidirectional overrides) become "?".
std::string EscapeTerminal(absl::string_view text);

// Characters, for aligning columns.
size_t CharacterCount(absl::string_view utf8);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_ESCAPE_H_
