#include "core/evaluate/scored_windows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// Decodes one UTF-8 character of well-formed text; a byte that starts none counts as itself.
std::pair<uint32_t, size_t> NextCharacter(absl::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (length == 1 || at + length > text.size()) return {lead, 1};
  uint32_t character = lead & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) character = character << 6 | (byte(at + i) & 0x3F);
  return {character, length};
}

// Python's str.isspace: Unicode's white space and the four ASCII separators.
bool IsSpace(uint32_t c) {
  static constexpr std::array<uint32_t, 9> kOthers = {0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || (c >= 0x2000 && c <= 0x200A) ||
         std::find(kOthers.begin(), kOthers.end(), c) != kOthers.end();
}

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
    const bool space = IsSpace(character);
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
