// The merge list of a BPE model, from what GGUF files give.
#ifndef TERSOR_CORE_TOKENIZER_GGUF_MERGES_H_
#define TERSOR_CORE_TOKENIZER_GGUF_MERGES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/tokenizer/gguf_tokenizer.h"

namespace tersor {

// Both views point into the metadata.
struct GgufMerge {
  absl::string_view left;
  absl::string_view right;
};

// From "left right" lines. INVALID_ARGUMENT names the entry that isn't such a pair; there must be at least one.
absl::StatusOr<std::vector<GgufMerge>> ParseMerges(const std::vector<std::string>& merges);

// SentencePiece keeps no merges: of all pairs of tokens that make a normal token, the better scored token merges first,
// and for one token the pair of the earlier tokens. INVALID_ARGUMENT where there are no scores.
absl::StatusOr<std::vector<GgufMerge>> MergesFromScores(const GgufTokenizerMetadata& metadata);

}  // namespace tersor

#endif  // TERSOR_CORE_TOKENIZER_GGUF_MERGES_H_
