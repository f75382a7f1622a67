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
// None of them refuses the weights: a tokenizer.json that is not JSON is left out and tokenizer_fault says why; any
// other file that is not what its name says is left out with a warning TOKENIZER that names it. Errors are those of
// reading files.
absl::StatusOr<ModelAssets> ReadHuggingFaceAssets(const std::filesystem::path& folder,
                                                  std::vector<SourceWarning>& warnings);

// eos_token_id of a generation_config.json's text; none where the text is empty or does not say. An id that cannot be
// one is a warning.
std::vector<int64_t> GenerationEosIds(absl::string_view generation_config_json, absl::string_view where,
                                      std::vector<SourceWarning>& warnings);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_HUGGINGFACE_ASSETS_H_
