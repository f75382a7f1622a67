// The files beside the weights, as every folder that Tersor writes carries them.
#ifndef TERSOR_CORE_MODEL_MODEL_ASSETS_H_
#define TERSOR_CORE_MODEL_MODEL_ASSETS_H_

#include <filesystem>

#include "core/base/status.h"
#include "core/model/model.h"

namespace tersor {

// tokenizer.json, tokenizer_config.json, chat_template.jinja, generation_config.json, LICENSE: those that are not
// empty.
absl::Status WriteAssetFiles(const ModelAssets& assets, const std::filesystem::path& folder);

// The same files' texts; a missing file is an empty text. What has no file of its own keeps its default.
absl::StatusOr<ModelAssets> ReadAssetFiles(const std::filesystem::path& folder);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_MODEL_ASSETS_H_
