// What every Hugging Face folder that Tersor writes holds beside its weights.
#ifndef TERSOR_CORE_EXPORTS_HUGGINGFACE_FOLDER_H_
#define TERSOR_CORE_EXPORTS_HUGGINGFACE_FOLDER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/model/model.h"
#include "core/model/model_spec.h"
#include "core/tensor/dtype.h"
#include "nlohmann/json.hpp"
#include "tersor/v1/report.pb.h"

namespace tersor {

struct HuggingFaceFolder {
  // Of what is written: untied where the head has become a parameter of its own.
  ModelSpec spec;
  // The type that loaders compute in.
  DType dtype = DType::kF16;
  // "quantization_config" of config.json; null for none.
  nlohmann::json quantization_config;
  std::string model_card;
};

// config.json, the tokenizer's files with the chat template, generation_config.json (made from the spec where the
// source had none), LICENSE and README.md.
absl::Status WriteHuggingFaceFiles(const HuggingFaceFolder& contents, const ModelAssets& assets,
                                   const std::filesystem::path& folder);

// Commands that load such a folder.
std::vector<v1::LoadCommand> HuggingFaceLoadCommands(const std::filesystem::path& folder);

// "float16" for F16: torch's names.
absl::string_view TorchName(DType dtype);

// `path` as one word of a shell command.
std::string ShellQuoted(const std::filesystem::path& path);
// `path` as a Python string literal.
std::string PythonQuoted(const std::filesystem::path& path);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_HUGGINGFACE_FOLDER_H_
