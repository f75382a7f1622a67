#include <array>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/input_file.h"
#include "core/base/sha256.h"
#include "core/base/utf8.h"
#include "core/formats/file_kind.h"
#include "core/model/container.h"
#include "core/model/model.h"
#include "core/model/model_source.h"
#include "core/model/parameter_table.h"
#include "core/model/spec_check.h"

namespace tersor {
namespace {

// A kind of file is known by its first bytes, not its name.
constexpr size_t kHeadBytes = 4096;

absl::StatusOr<Model> LoadFile(const std::filesystem::path& path, bool hash_content) {
  TERSOR_ASSIGN_OR_RETURN(const std::string head, ReadInputHead(path, kHeadBytes));
  if (absl::StartsWith(head, "GGUF")) return LoadGguf(path, hash_content);
  std::string kind = WhatItIs(head);
  if (kind.empty() && path.extension() == ".safetensors") {
    kind = "it is a safetensors file, which says nothing of the model; give the folder that also has its config.json";
  }
  if (kind.empty()) kind = "a Hugging Face model is given by its folder";
  return absl::InvalidArgumentError(absl::StrCat(path.string(), ": not a GGUF file; ", kind));
}

// What a folder without config.json probably is: the end of a message.
std::string FolderHint(const std::filesystem::path& folder) {
  struct Sign {
    const char* name;
    absl::string_view what;
  };
  constexpr std::array kSigns = {
      Sign{"adapter_config.json", "it holds an adapter (PEFT); merge it into its model and save that"},
      Sign{"params.json", "it holds a model in its maker's own format; take the one in Hugging Face's format"},
      Sign{"model_index.json", "it holds a pipeline of several models; give the folder of one of them"},
  };
  std::error_code error;
  for (const Sign& sign : kSigns) {
    if (std::filesystem::exists(folder / sign.name, error)) return absl::StrCat("; ", sign.what);
  }
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (it->path().extension() == ".gguf") return absl::StrCat("; it holds ", name, ": give the path of that file");
    if (std::filesystem::exists(it->path() / "config.json", error)) {
      return absl::StrCat("; its folder ", name, " has a config.json: give that one");
    }
  }
  return "";
}

absl::StatusOr<Model> LoadContainer(const std::filesystem::path& folder, bool hash_content) {
  TERSOR_ASSIGN_OR_RETURN(Container container, ReadContainer(folder));
  Model model = std::move(container.model);
  absl::Status status = CheckSpec(model.spec);
  if (!status.ok()) return Annotate(status, folder.string());
  absl::StatusOr<TensorMap> parameters = TakeParameters(model.spec, std::move(model.parameters));
  if (!parameters.ok()) return Annotate(parameters.status(), folder.string());
  model.parameters = *std::move(parameters);
  if (!hash_content) return model;
  std::vector<std::filesystem::path> files = {folder / std::string(kContainerManifestName),
                                              folder / std::string(kContainerWeightsName)};
  if (!model.assets.tokenizer_json.empty()) files.push_back(folder / "tokenizer.json");
  TERSOR_ASSIGN_OR_RETURN(model.source.sha256, HashFiles(files));
  return model;
}

absl::StatusOr<Model> LoadAnyKind(const std::filesystem::path& path, bool hash_content) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat("no model at ", path.string()));
  }
  if (error) return ErrnoStatus(error.value(), "looking at", path);
  if (std::filesystem::is_regular_file(status)) return LoadFile(path, hash_content);
  if (!std::filesystem::is_directory(status)) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": neither a file nor a folder"));
  }
  if (IsContainer(path)) return LoadContainer(path, hash_content);
  if (std::filesystem::exists(path / "config.json", error)) return LoadHuggingFace(path, hash_content);
  return absl::InvalidArgumentError(absl::StrCat(path.string(), ": neither config.json nor ", kContainerManifestName,
                                                 " in this folder: not a model", FolderHint(path)));
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
  TERSOR_ASSIGN_OR_RETURN(Model model, LoadAnyKind(path, hash_content));
  // A name may be a folder's, whose bytes are any.
  model.spec.name = ReplaceInvalidUtf8(model.spec.name);
  return model;
}

}  // namespace tersor
