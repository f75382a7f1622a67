// The readers behind LoadModel, one a kind of file.
#ifndef TERSOR_CORE_MODEL_MODEL_SOURCE_H_
#define TERSOR_CORE_MODEL_MODEL_SOURCE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/model/model.h"

namespace tersor {

// A folder with config.json and safetensors.
absl::StatusOr<Model> LoadHuggingFace(const std::filesystem::path& folder, bool hash_content);

// A .gguf file.
absl::StatusOr<Model> LoadGguf(const std::filesystem::path& path, bool hash_content);

// SHA-256 over the files' names (without folders) and their own SHA-256s, in the given order.
absl::StatusOr<std::string> HashFiles(const std::vector<std::filesystem::path>& files);

// Sum of the files' sizes.
absl::StatusOr<int64_t> FileBytes(const std::vector<std::filesystem::path>& files);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_MODEL_SOURCE_H_
