// Ids of special tokens as a GGUF file's metadata gives them.
#ifndef TERSOR_CORE_MODEL_GGUF_TOKEN_IDS_H_
#define TERSOR_CORE_MODEL_GGUF_TOKEN_IDS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/formats/gguf_value.h"
#include "core/model/model.h"

namespace tersor {

// The id under `key`; -1 where there is none, or one that is no token's of `tokens` or no integer: that is ignored, as
// llama.cpp does it, and said in `warnings` (which may be null).
int64_t GgufTokenId(const GgufMetadata& metadata, absl::string_view key, int64_t tokens,
                    std::vector<SourceWarning>* warnings);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_GGUF_TOKEN_IDS_H_
