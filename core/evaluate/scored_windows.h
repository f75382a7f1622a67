// The windows that a protocol cuts a tokenized text into, and which of their tokens are scored.
#ifndef TERSOR_CORE_EVALUATE_SCORED_WINDOWS_H_
#define TERSOR_CORE_EVALUATE_SCORED_WINDOWS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/evaluate/protocol.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor {

inline constexpr int64_t kBlockTokens = 256;

// The model reads `prefix` (unless -1) and stream[begin, score_end - 1); targets are stream[score_begin, score_end),
// each predicted by the token before it. The last target is never read: nothing comes after it.
struct ScoredWindow {
  int64_t begin = 0;
  int32_t prefix = -1;
  int64_t score_begin = 0;
  int64_t score_end = 0;
  // What the report calls the window's start and what it counts as the window's tokens.
  int64_t start = 0;
  int64_t tokens = 0;

  int64_t scored() const { return score_end - score_begin; }
  int64_t inputs() const { return (prefix >= 0 ? 1 : 0) + score_end - 1 - begin; }

  // The scored tokens in even runs of about kBlockTokens: short enough for several a window, long enough that what one
  // says hardly depends on the one before. Intervals are made of them.
  int64_t blocks() const { return std::max<int64_t>(1, (scored() + kBlockTokens / 2) / kBlockTokens); }
  int64_t block_tokens(int64_t i) const { return scored() * (i + 1) / blocks() - scored() * i / blocks(); }
};

// Never empty.
struct ScoredWindows {
  std::vector<int32_t> stream;
  std::vector<ScoredWindow> windows;
  // What the NLL is divided by: scored tokens, or the text's words.
  int64_t divisor = 0;
  // Windows that the text has, whatever the protocol's limit.
  int64_t available = 0;

  int64_t scored() const;
  int64_t tokens() const;
  // Of all windows' blocks, in order.
  std::vector<int64_t> block_tokens() const;
};

// Whitespace-separated words of UTF-8 text, as Python's str.split() counts them.
int64_t CountWords(absl::string_view text);

// INVALID_ARGUMENT for an empty text, or one shorter than a window (the message says how many tokens there are).
absl::StatusOr<ScoredWindows> CutWindows(const Protocol& protocol, std::vector<int32_t> ids, int64_t words);
// Tokenizes `text` and cuts it.
absl::StatusOr<ScoredWindows> CutWindows(const Protocol& protocol, const Tokenizer& tokenizer, absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_SCORED_WINDOWS_H_
