#include "core/model/model_assets.h"

#include <array>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/atomic_file.h"
#include "core/base/input_file.h"

namespace tersor {
namespace {

struct AssetFile {
  const char* name;
  std::string ModelAssets::*text;
};

constexpr std::array kAssetFiles = {
    AssetFile{"tokenizer.json", &ModelAssets::tokenizer_json},
    AssetFile{"tokenizer_config.json", &ModelAssets::tokenizer_config_json},
    AssetFile{"chat_template.jinja", &ModelAssets::chat_template},
    AssetFile{"generation_config.json", &ModelAssets::generation_config_json},
    AssetFile{"LICENSE", &ModelAssets::licence_text},
};

constexpr uint64_t kMaxAssetBytes = uint64_t{256} << 20;

}  // namespace

absl::Status WriteAssetFiles(const ModelAssets& assets, const std::filesystem::path& folder) {
  for (const AssetFile& file : kAssetFiles) {
    const std::string& text = assets.*file.text;
    if (!text.empty()) TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / file.name, text));
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelAssets> ReadAssetFiles(const std::filesystem::path& folder) {
  ModelAssets assets;
  for (const AssetFile& file : kAssetFiles) {
    std::error_code error;
    if (!std::filesystem::exists(folder / file.name, error)) continue;
    TERSOR_ASSIGN_OR_RETURN(assets.*file.text, ReadInputFile(folder / file.name, kMaxAssetBytes));
  }
  return assets;
}

}  // namespace tersor
