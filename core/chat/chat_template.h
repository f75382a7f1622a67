// A model's chat template (Jinja, as Hugging Face's tokenizers carry it), rendered.
#ifndef TERSOR_CORE_CHAT_CHAT_TEMPLATE_H_
#define TERSOR_CORE_CHAT_CHAT_TEMPLATE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

struct ChatMessage {
  // "system", "user", "assistant".
  std::string role;
  std::string content;
};

struct ChatVariables {
  std::string bos_token;
  std::string eos_token;
  bool add_generation_prompt = true;
};

struct TemplateNode;

// The part of Jinja that chat templates use: for, if, set (also of a namespace), expressions, the usual filters, tests
// and string methods, white space as Hugging Face sets it (trim_blocks, lstrip_blocks). Macros, imports and the date
// are not there. Immutable and thread-safe.
class ChatTemplate {
 public:
  // INVALID_ARGUMENT names the line and what is not understood.
  static absl::StatusOr<ChatTemplate> Parse(absl::string_view text);

  // INVALID_ARGUMENT for what the template itself refuses (raise_exception), for an operation on values that do not
  // have it, and for a template that does not come to an end.
  absl::StatusOr<std::string> Render(const std::vector<ChatMessage>& messages, const ChatVariables& variables) const;

 private:
  std::shared_ptr<const TemplateNode> root_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_CHAT_CHAT_TEMPLATE_H_
