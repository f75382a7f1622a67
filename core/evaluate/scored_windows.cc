#include "core/evaluate/scored_windows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"

namespace tersor {
namespace {

absl::Status CheckLength(const Protocol& protocol, int64_t tokens) {
  if (tokens == 0) return absl::InvalidArgumentError(absl::StrCat("text \"", protocol.dataset, "\" is empty"));
  if (protocol.convention == PerplexityConvention::kWords || tokens >= protocol.window) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("text \"", protocol.dataset, "\" has ", tokens,
                                                 " tokens, fewer than one window of ", protocol.window,
                                                 "; give a longer text or a smaller window"));
}

std::vector<ScoredWindow> CutPlain(const Protocol& protocol, int64_t tokens) {
  std::vector<ScoredWindow> windows;
  for (int64_t start = 0; start + protocol.window <= tokens; start += protocol.stride) {
    ScoredWindow window;
    window.begin = window.start = start;
    window.prefix = static_cast<int32_t>(protocol.bos_id);
    window.score_end = start + protocol.window;
    const bool overlaps = start > 0 && protocol.stride < protocol.window;
    window.score_begin = overlaps ? window.score_end - protocol.stride : start + 1;
    window.tokens = protocol.window;
    windows.push_back(window);
  }
  return windows;
}

// tools/perplexity/perplexity.cpp of llama.cpp: logits of positions n/2 .. n-2 of a chunk predict the token after them.
std::vector<ScoredWindow> CutLlamaCpp(const Protocol& protocol, int64_t tokens) {
  std::vector<ScoredWindow> windows;
  for (int64_t start = 0; start + protocol.window <= tokens; start += protocol.window) {
    ScoredWindow window;
    window.start = start;
    window.prefix = static_cast<int32_t>(protocol.bos_id);
    window.begin = protocol.bos_id < 0 ? start : start + 1;
    window.score_begin = start + protocol.window / 2 + 1;
    window.score_end = start + protocol.window;
    window.tokens = protocol.window;
    windows.push_back(window);
  }
  return windows;
}

// get_rolling_token_windows and make_disjoint_window of lm-evaluation-harness with a context of one token.
std::vector<ScoredWindow> CutRolling(const Protocol& protocol, int64_t tokens) {
  std::vector<ScoredWindow> windows;
  for (int64_t start = 0; start < tokens; start += protocol.window) {
    ScoredWindow window;
    window.start = window.score_begin = start;
    window.begin = std::max<int64_t>(start - 1, 0);
    window.prefix = start == 0 ? static_cast<int32_t>(protocol.bos_id) : -1;
    window.score_end = std::min(start + protocol.window, tokens);
    window.tokens = window.scored();
    windows.push_back(window);
  }
  return windows;
}

std::vector<ScoredWindow> Cut(const Protocol& protocol, int64_t tokens) {
  switch (protocol.convention) {
    case PerplexityConvention::kWindows:
      return CutPlain(protocol, tokens);
    case PerplexityConvention::kLlamaCpp:
      return CutLlamaCpp(protocol, tokens);
    case PerplexityConvention::kWords:
      return CutRolling(protocol, tokens);
  }
  return {};
}

}  // namespace

int64_t ScoredWindows::scored() const {
  int64_t sum = 0;
  for (const ScoredWindow& window : windows) sum += window.scored();
  return sum;
}

std::vector<int64_t> ScoredWindows::block_tokens() const {
  std::vector<int64_t> tokens;
  for (const ScoredWindow& window : windows) {
    for (int64_t i = 0; i < window.blocks(); ++i) tokens.push_back(window.block_tokens(i));
  }
  return tokens;
}

int64_t ScoredWindows::tokens() const {
  int64_t sum = 0;
  for (const ScoredWindow& window : windows) sum += window.tokens;
  return sum;
}

int64_t CountWords(absl::string_view text) {
  int64_t words = 0;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const auto [character, length] = NextCharacter(text, at);
    const bool space = IsUnicodeSpace(character);
    if (!space && !inside) ++words;
    inside = !space;
    at += length;
  }
  return words;
}

absl::StatusOr<ScoredWindows> CutWindows(const Protocol& protocol, std::vector<int32_t> ids, int64_t words) {
  // As llama.cpp's tokenizer does it: the text itself begins with BOS.
  if (protocol.convention == PerplexityConvention::kLlamaCpp && protocol.bos_id >= 0 && !ids.empty()) {
    ids.insert(ids.begin(), static_cast<int32_t>(protocol.bos_id));
  }
  const auto tokens = static_cast<int64_t>(ids.size());
  TERSOR_RETURN_IF_ERROR(CheckLength(protocol, tokens));
  ScoredWindows result;
  result.stream = std::move(ids);
  result.windows = Cut(protocol, tokens);
  result.available = static_cast<int64_t>(result.windows.size());
  if (protocol.max_windows > 0 && result.windows.size() > protocol.max_windows) {
    result.windows.resize(protocol.max_windows);
  }
  const bool per_word = protocol.convention == PerplexityConvention::kWords;
  if (per_word && words < 1) {
    return absl::InvalidArgumentError(absl::StrCat("text \"", protocol.dataset, "\" has no words, only white space"));
  }
  result.divisor = per_word ? words : result.scored();
  return result;
}

absl::StatusOr<ScoredWindows> CutWindows(const Protocol& protocol, const Tokenizer& tokenizer, absl::string_view text) {
  TERSOR_ASSIGN_OR_RETURN(std::vector<int32_t> ids, tokenizer.Encode(text));
  return CutWindows(protocol, std::move(ids), CountWords(text));
}

}  // namespace tersor
