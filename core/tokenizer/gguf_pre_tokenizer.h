// The pre-tokenizers that GGUF files name in tokenizer.ggml.pre, in the terms of a tokenizer.json.
#ifndef TERSOR_CORE_TOKENIZER_GGUF_PRE_TOKENIZER_H_
#define TERSOR_CORE_TOKENIZER_GGUF_PRE_TOKENIZER_H_

#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// One row of the table. A GGUF file has only the name; the rest is what the models of that name publish.
struct GgufPreTokenizer {
  absl::string_view name;
  bool splits_digits = false;  // every digit a piece of its own, before anything else
  // Each splits the pieces of the one before, in place of ByteLevel's own pattern; none: that one (GPT-2's).
  std::array<absl::string_view, 5> split_regexes = {};
  bool normalizes_nfc = false;
  bool ignores_merges = false;  // a piece that is a token as it stands isn't merged from its characters
  bool adds_bos = false;        // where the file has no add_bos_token
};

// All of them.
std::span<const GgufPreTokenizer> GgufPreTokenizers();

// The row of `name`; an empty name is "default". INVALID_ARGUMENT where there is none.
absl::StatusOr<const GgufPreTokenizer*> FindGgufPreTokenizer(absl::string_view name);

// The "pre_tokenizer" value of a tokenizer.json.
nlohmann::json PreTokenizerJson(const GgufPreTokenizer& pre_tokenizer);

}  // namespace tersor

#endif  // TERSOR_CORE_TOKENIZER_GGUF_PRE_TOKENIZER_H_
