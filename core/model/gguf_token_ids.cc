#include "core/model/gguf_token_ids.h"

#include "absl/strings/str_cat.h"

namespace tersor {

int64_t GgufTokenId(const GgufMetadata& metadata, absl::string_view key, int64_t tokens,
                    std::vector<SourceWarning>* warnings) {
  if (!metadata.Has(key)) return -1;
  const absl::StatusOr<int64_t> id = metadata.Integer(key);
  // Some converters write -1 for a token that the model lacks.
  if (id.ok() && *id >= -1 && *id < tokens) return *id;
  if (warnings != nullptr) {
    const std::string fault = id.ok() ? absl::StrCat(key, " is ", *id, ", but there are ", tokens, " tokens")
                                      : std::string(id.status().message());
    warnings->push_back({"TOKENIZER", absl::StrCat(fault, ": ignored")});
  }
  return -1;
}

}  // namespace tersor
