#include "core/evaluate/tasks/encoded_item.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/sha256.h"
#include "core/evaluate/tasks/request_encoding.h"

namespace tersor {
namespace {

absl::string_view Bytes(const std::vector<int32_t>& ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t)};
}

std::string ItemKey(const LoadedTask& task, const TaskText& text, const EncodedItem& item) {
  Sha256 digest;
  digest.UpdateField(ScorerName(task.definition.scorer()));
  for (const ContinuationRequest& request : item.requests) {
    digest.UpdateField(Bytes(request.context));
    digest.UpdateField(Bytes(request.continuation));
  }
  if (Generates(task)) {
    digest.UpdateField(Bytes(item.prompt));
    digest.UpdateField(absl::StrCat(task.definition.generate().max_tokens()));
    for (const std::string& stop : task.definition.generate().stop()) digest.UpdateField(stop);
    digest.UpdateField(absl::StrJoin(text.end_ids, " "));
  }
  return digest.HexDigest().substr(0, 32);
}

absl::StatusOr<std::string> PromptText(const LoadedTask& task, const TaskText& text, const TaskItem& item,
                                       size_t choice) {
  std::string prompt = absl::StrCat(task.Preamble(item), item.prompt(choice));
  if (!task.chat_template) return prompt;
  return text.chat(prompt);
}

absl::StatusOr<EncodedItem> EncodeItem(const LoadedTask& task, const TaskText& text, const TaskItem& item) {
  EncodedItem encoded;
  if (Generates(task)) {
    TERSOR_ASSIGN_OR_RETURN(const std::string prompt, PromptText(task, text, item, 0));
    TERSOR_ASSIGN_OR_RETURN(encoded.prompt, EncodeFramed(*text.tokenizer, text.frame, prompt));
    if (encoded.prompt.empty()) return absl::InvalidArgumentError("the prompt has no tokens");
  }
  std::string prompt;
  for (size_t i = 0; i < item.continuations.size(); ++i) {
    if (i == 0 || item.prompts.size() > 1) {
      TERSOR_ASSIGN_OR_RETURN(prompt, PromptText(task, text, item, i));
    }
    // The assistant's turn begins without the blank that parts an answer from its question.
    absl::string_view continuation = item.continuations[i];
    if (task.chat_template) continuation = absl::StripLeadingAsciiWhitespace(continuation);
    TERSOR_ASSIGN_OR_RETURN(encoded.requests.emplace_back(),
                            EncodePair(*text.tokenizer, prompt, continuation, text.prefix_id, text.frame));
    const auto tokens = static_cast<int64_t>(encoded.requests.back().continuation.size());
    if (text.context_length > 0 && tokens > text.context_length) {
      return absl::InvalidArgumentError(absl::StrCat("the continuation has ", tokens,
                                                     " tokens, but the model's context holds ", text.context_length));
    }
  }
  encoded.key = ItemKey(task, text, encoded);
  return encoded;
}

absl::Status InItem(const LoadedTask& task, const TaskItem& item, const absl::Status& status) {
  return Annotate(status, absl::StrCat(task.data_path.string(), ":", item.line, ": item \"", item.id, "\""));
}

// A token has at least a byte, and a continuation that begins with a blank or a new line has a token that its context
// lacks: nothing else need be tokenized to be sure of it.
bool MayFailInTokens(const TaskItem& item, const TaskText& text) {
  if (std::any_of(item.prompts.begin(), item.prompts.end(), [](const std::string& p) { return p.empty(); }))
    return true;
  return std::any_of(item.continuations.begin(), item.continuations.end(), [&](const std::string& continuation) {
    const bool parted = absl::ascii_isspace(continuation.front()) && StrippedLength(continuation) > 1;
    const bool fits = text.context_length == 0 || static_cast<int64_t>(continuation.size()) <= text.context_length;
    return !parted || !fits;
  });
}

}  // namespace

bool Generates(const LoadedTask& task) { return task.definition.scorer() == v1::TASK_SCORER_GENERATE; }

absl::StatusOr<std::vector<EncodedItem>> EncodeItems(const LoadedTask& task, const TaskText& text,
                                                     const CancellationToken* cancellation) {
  std::vector<EncodedItem> encoded;
  encoded.reserve(task.items.size());
  for (const TaskItem& item : task.items) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
    absl::StatusOr<EncodedItem> one = EncodeItem(task, text, item);
    if (!one.ok()) return InItem(task, item, one.status());
    encoded.push_back(*std::move(one));
  }
  return encoded;
}

absl::Status CheckTaskTokens(const LoadedTask& task, const TaskText& text) {
  for (const TaskItem& item : task.items) {
    if (!MayFailInTokens(item, text)) continue;
    TERSOR_RETURN_IF_ERROR(InItem(task, item, EncodeItem(task, text, item).status()));
  }
  return absl::OkStatus();
}

}  // namespace tersor
