// A template cut into text, tags and their tokens.
#ifndef TERSOR_CORE_CHAT_TEMPLATE_LEXER_H_
#define TERSOR_CORE_CHAT_TEMPLATE_LEXER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

struct TemplateToken {
  enum class Kind { kText, kBeginPrint, kEndPrint, kBeginTag, kEndTag, kName, kString, kInteger, kFloat, kOperator };
  Kind kind;
  std::string text;
  int line = 1;
};

// Comments are gone and white space is stripped as trim_blocks and lstrip_blocks ask for. INVALID_ARGUMENT names the
// line.
absl::StatusOr<std::vector<TemplateToken>> LexTemplate(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_CHAT_TEMPLATE_LEXER_H_
