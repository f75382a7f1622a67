#include "core/evaluate/tasks/request_encoding.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"

namespace tersor {

size_t StrippedLength(absl::string_view text) {
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    const auto [character, length] = NextCharacter(text, at);
    at += length;
    if (!IsUnicodeSpace(character)) end = at;
  }
  return end;
}

absl::StatusOr<ContinuationRequest> EncodePair(const Tokenizer& tokenizer, absl::string_view context,
                                               absl::string_view continuation, int64_t prefix_id,
                                               const TextFrame& frame) {
  const std::string whole = absl::StrCat(context, continuation);
  const absl::string_view stripped = context.substr(0, StrippedLength(context));
  ContinuationRequest request;
  TERSOR_ASSIGN_OR_RETURN(std::vector<int32_t> ids,
                          EncodeFramed(tokenizer, stripped.empty() ? TextFrame() : frame, whole));
  if (!stripped.empty()) {
    TERSOR_ASSIGN_OR_RETURN(request.context, EncodeFramed(tokenizer, frame, stripped));
  } else if (prefix_id < 0) {
    return absl::InvalidArgumentError("the context is empty, and the model has neither a BOS nor an EOS token");
  } else if (ids.empty() || ids.front() != prefix_id) {
    ids.insert(ids.begin(), static_cast<int32_t>(prefix_id));
  }
  if (stripped.empty()) request.context = {static_cast<int32_t>(prefix_id)};
  const size_t split = std::min(request.context.size(), ids.size());
  request.continuation.assign(ids.begin() + static_cast<int64_t>(split), ids.end());
  if (request.continuation.empty()) {
    return absl::InvalidArgumentError("the continuation has no tokens of its own after the context");
  }
  return request;
}

}  // namespace tersor
