// A task's items in a model's token ids.
#ifndef TERSOR_CORE_EVALUATE_TASKS_ENCODED_ITEM_H_
#define TERSOR_CORE_EVALUATE_TASKS_ENCODED_ITEM_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/evaluate/continuation_scorer.h"
#include "core/evaluate/tasks/loaded_task.h"
#include "core/tokenizer/text_frame.h"

namespace tersor {

// The model's side of the texts: what turns them into ids.
struct TaskText {
  // Not owned.
  const Tokenizer* tokenizer = nullptr;
  // BOS, else EOS, else -1: stands for an empty context.
  int64_t prefix_id = -1;
  // What the tokenizer puts around every text.
  TextFrame frame = {};
  // Ids that end a generation; the model's own where empty.
  std::vector<int64_t> end_ids = {};
  // Tokens that the model can read; 0 where unknown.
  int64_t context_length = 0;
  // Puts a user's message into the chat template, up to where the assistant's answer begins; null where the model has
  // no template. `template_sha256` stands for it in hashes.
  std::function<absl::StatusOr<std::string>(absl::string_view)> chat = nullptr;
  std::string template_sha256;
  // "2026-01-31" where the template asks for the date: what it is told.
  std::string template_date;
};

// An item in token ids: requests, or the prompt of a generation.
struct EncodedItem {
  std::vector<ContinuationRequest> requests;
  std::vector<int32_t> prompt;
  // What its answer depends on, the model aside.
  std::string key;

  int64_t tokens() const {
    size_t sum = prompt.size();
    for (const ContinuationRequest& request : requests) sum += request.context.size() + request.continuation.size();
    return static_cast<int64_t>(sum);
  }
};

// Whether the task's answers are texts that the model generates.
bool Generates(const LoadedTask& task);

// INVALID_ARGUMENT names the item, with file and line, whose continuation has no tokens of its own or more than the
// model's context holds, or that the chat template refuses.
absl::StatusOr<std::vector<EncodedItem>> EncodeItems(const LoadedTask& task, const TaskText& text,
                                                     const CancellationToken* cancellation);

// The same faults before a run. Tokenizes only the items that may be at fault by their texts.
absl::Status CheckTaskTokens(const LoadedTask& task, const TaskText& text);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_ENCODED_ITEM_H_
