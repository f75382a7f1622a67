#include <array>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/model/container.h"
#include "core/model/model.h"
#include "core/model/model_source.h"
#include "core/model/parameter_table.h"
#include "core/model/spec_check.h"

namespace tersor {
namespace {

// By its first bytes, not its name.
bool IsGguf(const std::filesystem::path& path) {
  std::array<char, 4> magic = {};
  std::ifstream file(path, std::ios::binary);
  return file.read(magic.data(), magic.size()) && std::memcmp(magic.data(), "GGUF", 4) == 0;
}

absl::StatusOr<Model> LoadContainer(const std::filesystem::path& folder, bool hash_content) {
  TERSOR_ASSIGN_OR_RETURN(Container container, ReadContainer(folder));
  Model model = std::move(container.model);
  absl::Status status = CheckSpec(model.spec);
  if (!status.ok()) return Annotate(status, folder.string());
  absl::StatusOr<TensorMap> parameters = TakeParameters(model.spec, std::move(model.parameters), TensorNames::kTersor);
  if (!parameters.ok()) return Annotate(parameters.status(), folder.string());
  model.parameters = *std::move(parameters);
  if (!hash_content) return model;
  std::vector<std::filesystem::path> files = {folder / std::string(kContainerManifestName),
                                              folder / std::string(kContainerWeightsName)};
  if (!model.assets.tokenizer_json.empty()) files.push_back(folder / "tokenizer.json");
  TERSOR_ASSIGN_OR_RETURN(model.source.sha256, HashFiles(files));
  return model;
}

}  // namespace

absl::StatusOr<std::string> HashFiles(const std::vector<std::filesystem::path>& files) {
  Sha256 hash;
  for (const std::filesystem::path& file : files) {
    TERSOR_ASSIGN_OR_RETURN(const std::string digest, Sha256HexOfFile(file));
    hash.UpdateField(file.filename().string());
    hash.UpdateField(digest);
  }
  return hash.HexDigest();
}

absl::StatusOr<int64_t> FileBytes(const std::vector<std::filesystem::path>& files) {
  int64_t total = 0;
  for (const std::filesystem::path& file : files) {
    std::error_code error;
    total += static_cast<int64_t>(std::filesystem::file_size(file, error));
    if (error) return ErrnoStatus(error.value(), "measuring file", file);
  }
  return total;
}

absl::StatusOr<Model> LoadModel(const std::filesystem::path& path, bool hash_content) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat("no model at ", path.string()));
  }
  if (error) return ErrnoStatus(error.value(), "looking at", path);
  if (std::filesystem::is_regular_file(status)) {
    if (IsGguf(path)) return LoadGguf(path, hash_content);
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), ": not a GGUF file; a Hugging Face model is given by its folder"));
  }
  if (!std::filesystem::is_directory(status)) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": neither a file nor a folder"));
  }
  if (IsContainer(path)) return LoadContainer(path, hash_content);
  if (std::filesystem::exists(path / "config.json", error)) return LoadHuggingFace(path, hash_content);
  return absl::InvalidArgumentError(absl::StrCat(path.string(), ": neither config.json nor ", kContainerManifestName,
                                                 " in this folder: not a model"));
}

}  // namespace tersor
