#include <algorithm>
#include <fstream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/model_upload.h"

namespace tersor::client {
namespace {

// Weights in other formats (.bin, .pt, .onnx) would only be dead freight.
bool IsModelFile(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  if (absl::StartsWith(name, ".")) return false;
  std::string lower = absl::AsciiStrToLower(name);
  for (absl::string_view ending : {".safetensors", ".json", ".gguf", ".model", ".jinja", ".txt", ".md"}) {
    if (absl::EndsWith(lower, ending)) return true;
  }
  return absl::StartsWith(lower, "license") || absl::StartsWith(lower, "licence") || absl::StartsWith(lower, "notice");
}

absl::Status CheckIsGguf(const std::filesystem::path& file) {
  constexpr char kWanted[] = "a model is a .gguf file or a folder with config.json and *.safetensors";
  char magic[4] = {};
  std::ifstream(file, std::ios::binary).read(magic, sizeof magic);
  if (absl::string_view(magic, sizeof magic) != "GGUF") {
    return absl::InvalidArgumentError(absl::StrCat(file.string(), " is no GGUF file; ", kWanted));
  }
  if (file.extension() == ".gguf") return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(file.string(), " is a GGUF file: give it a name that ends in .gguf"));
}

}  // namespace

absl::Status CheckIsModel(const std::filesystem::path& model) {
  std::error_code error;
  if (!std::filesystem::exists(model, error)) {
    return absl::NotFoundError(absl::StrCat("model ", model.string(), " does not exist"));
  }
  if (!std::filesystem::is_directory(model, error)) return CheckIsGguf(model);
  for (const char* name : {"config.json", "tersor.json"}) {
    if (std::filesystem::is_regular_file(model / name, error)) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "folder ", model.string(), " holds no model: it has no config.json; for a .gguf file name the file"));
}

absl::StatusOr<std::vector<std::filesystem::path>> ModelFiles(const std::filesystem::path& model) {
  std::error_code error;
  std::filesystem::file_status status = std::filesystem::status(model, error);
  if (!std::filesystem::exists(status)) {
    return absl::NotFoundError(absl::StrCat("model ", model.string(), " does not exist"));
  }
  if (std::filesystem::is_regular_file(status)) return std::vector<std::filesystem::path>{model.filename()};
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator it(model, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored) && IsModelFile(it->path())) files.push_back(it->path().filename());
  }
  if (error) return absl::InvalidArgumentError(absl::StrCat("reading folder ", model.string(), ": ", error.message()));
  if (files.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(model.string(), " has no model files (config.json, *.safetensors)"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace tersor::client
