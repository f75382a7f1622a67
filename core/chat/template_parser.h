// Tokens of a template to its tree.
#ifndef TERSOR_CORE_CHAT_TEMPLATE_PARSER_H_
#define TERSOR_CORE_CHAT_TEMPLATE_PARSER_H_

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/chat/template_node.h"

namespace tersor {

// A kBlock. INVALID_ARGUMENT names the line and what stands there; nesting deeper than 64 is refused.
absl::StatusOr<TemplateNodePtr> ParseTemplate(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_CHAT_TEMPLATE_PARSER_H_
