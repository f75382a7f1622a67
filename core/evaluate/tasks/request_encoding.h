// Text of a question to token ids, as lm-evaluation-harness splits it.
#ifndef TERSOR_CORE_EVALUATE_TASKS_REQUEST_ENCODING_H_
#define TERSOR_CORE_EVALUATE_TASKS_REQUEST_ENCODING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/evaluate/continuation_scorer.h"
#include "core/tokenizer/text_frame.h"

namespace tersor {

// White space at the end of `context` moves to the continuation; then context and whole are tokenized, and the
// continuation is what the whole has after as many ids as the context has. An empty context is `prefix_id` (BOS, else
// EOS). INVALID_ARGUMENT where the continuation has no ids, or where there is no prefix for an empty context.
// Both are tokenized in `frame` (a text without context is not: it has its prefix).
absl::StatusOr<ContinuationRequest> EncodePair(const Tokenizer& tokenizer, absl::string_view context,
                                               absl::string_view continuation, int64_t prefix_id,
                                               const TextFrame& frame = {});

// Bytes of `text` before the white space at its end, as Python's str.rstrip() finds it.
size_t StrippedLength(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_REQUEST_ENCODING_H_
