// A model's chat template (Jinja, as Hugging Face's tokenizers carry it), rendered.
#ifndef TERSOR_CORE_CHAT_CHAT_TEMPLATE_H_
#define TERSOR_CORE_CHAT_CHAT_TEMPLATE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "core/base/status.h"

struct TersorChatTemplate;

namespace tersor {

struct ChatMessage {
  // "system", "user", "assistant".
  std::string role;
  std::string content;
};

struct ChatVariables {
  // The tokenizer's; one that is empty is undefined in the template.
  std::string bos_token = {};
  std::string eos_token = {};
  std::string pad_token = {};
  std::string unk_token = {};
  bool add_generation_prompt = true;
  // JSON texts of lists; empty: none, as `tools` and `documents` are where there are none.
  std::string tools_json = {};
  std::string documents_json = {};
  // What strftime_now tells, at midnight.
  absl::CivilDay date = {};
};

// Jinja as transformers sets it up: trim_blocks, lstrip_blocks, loop controls, generation tags, raise_exception,
// strftime_now, Python's json.dumps for tojson, Python's methods of strings, lists and dicts; undefined variables are
// Jinja's. What the minijinja library behind it lacks is refused by name (docs/evaluation.md). Immutable and
// thread-safe.
class ChatTemplate {
 public:
  // INVALID_ARGUMENT names the line and what is not understood.
  static absl::StatusOr<ChatTemplate> Parse(absl::string_view text);

  // INVALID_ARGUMENT, with the line, for what the template itself refuses (raise_exception), for an operation on values
  // that do not have it, and for a template that needs more steps or bytes than a render may (18 bits of steps, each
  // worth 64 bytes).
  absl::StatusOr<std::string> Render(const std::vector<ChatMessage>& messages, const ChatVariables& variables) const;

  // Whether the text may depend on the date.
  bool asks_for_date() const { return asks_for_date_; }

 private:
  std::shared_ptr<const TersorChatTemplate> handle_;
  bool asks_for_date_ = false;
};

}  // namespace tersor

#endif  // TERSOR_CORE_CHAT_CHAT_TEMPLATE_H_
