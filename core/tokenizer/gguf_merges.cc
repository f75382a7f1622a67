#include "core/tokenizer/gguf_merges.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"

namespace tersor {
namespace {

// A longer token than this is no merge of a real model's; without a bound its splits would take quadratic time.
constexpr size_t kLongestMergedToken = 1024;

struct ScoredMerge {
  GgufMerge merge;
  float score;
  std::pair<size_t, size_t> parts;  // ids
};

bool IsNormal(const GgufTokenizerMetadata& metadata, size_t id) {
  return metadata.token_types.empty() || metadata.token_types[id] == kGgufTokenNormal;
}

bool StartsCharacter(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) != 0x80; }

void AppendSplits(absl::string_view token, float score, const absl::flat_hash_map<absl::string_view, size_t>& ids,
                  std::vector<ScoredMerge>& merges) {
  for (size_t at = 1; at < token.size(); ++at) {
    if (!StartsCharacter(token[at])) continue;
    const GgufMerge merge{token.substr(0, at), token.substr(at)};
    const auto left = ids.find(merge.left);
    const auto right = ids.find(merge.right);
    if (left == ids.end() || right == ids.end()) continue;
    merges.push_back({merge, score, {left->second, right->second}});
  }
}

}  // namespace

absl::StatusOr<std::vector<GgufMerge>> ParseMerges(const std::vector<std::string>& merges) {
  if (merges.empty()) return absl::InvalidArgumentError("tokenizer.ggml.merges is missing or empty");
  std::vector<GgufMerge> pairs;
  pairs.reserve(merges.size());
  for (size_t i = 0; i < merges.size(); ++i) {
    const absl::string_view merge = merges[i];
    const std::string where = absl::StrCat("tokenizer.ggml.merges[", i, "]");
    TERSOR_RETURN_IF_ERROR(Annotate(CheckUtf8(merge), where));
    const size_t space = merge.find(' ', 1);
    if (space == absl::string_view::npos || space + 1 == merge.size()) {
      return absl::InvalidArgumentError(absl::StrCat(where, " is \"", merge, "\", not two tokens"));
    }
    pairs.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  return pairs;
}

absl::StatusOr<std::vector<GgufMerge>> MergesFromScores(const GgufTokenizerMetadata& metadata) {
  if (metadata.scores.empty()) {
    return absl::InvalidArgumentError("tokenizer.ggml.scores is missing, and so is tokenizer.ggml.merges");
  }
  absl::flat_hash_map<absl::string_view, size_t> ids;
  ids.reserve(metadata.tokens.size());
  for (size_t id = 0; id < metadata.tokens.size(); ++id) {
    if (!std::isfinite(metadata.scores[id])) {
      return absl::InvalidArgumentError(absl::StrCat("tokenizer.ggml.scores[", id, "] is not a finite number"));
    }
    if (IsNormal(metadata, id)) ids.emplace(metadata.tokens[id], id);
  }
  std::vector<ScoredMerge> scored;
  for (size_t id = 0; id < metadata.tokens.size(); ++id) {
    if (!IsNormal(metadata, id) || metadata.tokens[id].size() > kLongestMergedToken) continue;
    AppendSplits(metadata.tokens[id], metadata.scores[id], ids, scored);
  }
  std::sort(scored.begin(), scored.end(), [](const ScoredMerge& a, const ScoredMerge& b) {
    return a.score != b.score ? a.score > b.score : a.parts < b.parts;
  });
  std::vector<GgufMerge> merges;
  merges.reserve(scored.size());
  for (const ScoredMerge& entry : scored) merges.push_back(entry.merge);
  return merges;
}

}  // namespace tersor
