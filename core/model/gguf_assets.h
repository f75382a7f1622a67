// What a GGUF file's metadata says beside the weights, as a Hugging Face folder would have it.
#ifndef TERSOR_CORE_MODEL_GGUF_ASSETS_H_
#define TERSOR_CORE_MODEL_GGUF_ASSETS_H_

#include <vector>

#include "core/base/status.h"
#include "core/formats/gguf_value.h"
#include "core/model/model.h"

namespace tersor {

// Rebuilds tokenizer.json, tokenizer_config.json and generation_config.json. A file without tokenizer keys gives a
// model without a tokenizer, and so does one whose keys contradict each other or name what Tersor does not know: then
// tokenizer_fault says why. What was ignored or guessed is added to `warnings`. INVALID_ARGUMENT names another key
// that lies; messages do not name the file.
absl::StatusOr<ModelAssets> AssetsFromGguf(const GgufMetadata& metadata, const ModelSpec& spec,
                                           std::vector<SourceWarning>& warnings);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_GGUF_ASSETS_H_
