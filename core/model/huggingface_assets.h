// The files beside the weights of a Hugging Face folder.
#ifndef TERSOR_CORE_MODEL_HUGGINGFACE_ASSETS_H_
#define TERSOR_CORE_MODEL_HUGGINGFACE_ASSETS_H_

#include <filesystem>
#include <vector>

#include "core/base/status.h"
#include "core/model/model.h"

namespace tersor {

// What there is of tokenizer.json, tokenizer_config.json, chat_template.jinja (else the template in
// tokenizer_config.json), generation_config.json, LICENSE or COPYING, and the licence id in README.md's front matter.
// INVALID_ARGUMENT names a file that is not what its name says.
absl::StatusOr<ModelAssets> ReadHuggingFaceAssets(const std::filesystem::path& folder);

// eos_token_id of a generation_config.json's text; none where the text is empty or does not say.
absl::StatusOr<std::vector<int64_t>> GenerationEosIds(absl::string_view generation_config_json,
                                                      absl::string_view where);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_HUGGINGFACE_ASSETS_H_
