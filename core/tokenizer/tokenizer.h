// Text to token ids and back, exactly as the Hugging Face tokenizers library does it.
#ifndef TERSOR_CORE_TOKENIZER_TOKENIZER_H_
#define TERSOR_CORE_TOKENIZER_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Immutable and thread-safe.
class Tokenizer {
 public:
  // From the text of a tokenizer.json. INVALID_ARGUMENT says what is wrong with it.
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> FromJson(absl::string_view tokenizer_json);
  virtual ~Tokenizer() = default;

  // No special tokens are added; special strings in the text are parsed. INVALID_ARGUMENT gives the byte offset of text
  // that is not UTF-8.
  virtual absl::StatusOr<std::vector<int32_t>> Encode(absl::string_view text) const = 0;
  // With what the file's post-processor adds to a text. What a model really sees is core/model/special_tokens.h's to
  // say.
  virtual absl::StatusOr<std::vector<int32_t>> EncodeWithSpecial(absl::string_view text) const = 0;
  virtual absl::StatusOr<std::string> Decode(std::span<const int32_t> ids, bool skip_special = false) const = 0;
  virtual int64_t vocabulary() const = 0;
  // -1 where there is no such token.
  virtual int64_t TokenToId(absl::string_view token) const = 0;
  // SHA-256 of the tokenizer.json: part of every evaluation protocol's hash.
  virtual const std::string& sha256() const = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TOKENIZER_TOKENIZER_H_
