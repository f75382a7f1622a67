#include "core/exports/huggingface_folder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/atomic_file.h"
#include "core/formats/json_text.h"
#include "core/model/config_json.h"
#include "core/model/model_assets.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor {
namespace {

absl::StatusOr<std::string> ConfigText(const HuggingFaceFolder& contents) {
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ConfigJson(contents.spec, TorchName(contents.dtype)));
  if (contents.quantization_config.is_null()) return text;
  TERSOR_ASSIGN_OR_RETURN(nlohmann::json config, ParseJsonObject(text, "config.json"));
  config["quantization_config"] = contents.quantization_config;
  return JsonText(config, 2) + "\n";
}

nlohmann::json EosValue(const ModelSpec& spec) {
  if (spec.eos_ids.size() == 1) return spec.eos_ids[0];
  return spec.eos_ids;
}

std::string GenerationConfigText(const ModelSpec& spec) {
  nlohmann::json config = {{"_from_model_config", true}};
  if (spec.bos_id >= 0) config["bos_token_id"] = spec.bos_id;
  if (!spec.eos_ids.empty()) config["eos_token_id"] = EosValue(spec);
  if (spec.pad_id >= 0) config["pad_token_id"] = spec.pad_id;
  return JsonText(config, 2) + "\n";
}

// The text of a token; empty where there is none.
std::string TokenText(const Tokenizer& tokenizer, int64_t id) {
  if (id < 0 || id >= tokenizer.vocabulary()) return "";
  const int32_t ids[] = {static_cast<int32_t>(id)};
  return tokenizer.Decode(ids).value_or("");
}

// Adds to what the source had what loaders need of it: a class, the special tokens and the chat template.
absl::StatusOr<std::string> TokenizerConfigText(const ModelAssets& assets, const ModelSpec& spec) {
  nlohmann::json config = nlohmann::json::object();
  if (!assets.tokenizer_config_json.empty()) {
    TERSOR_ASSIGN_OR_RETURN(config, ParseJsonObject(assets.tokenizer_config_json, "tokenizer_config.json"));
  }
  if (!assets.chat_template.empty() && !config.contains("chat_template")) {
    config["chat_template"] = assets.chat_template;
  }
  if (!config.contains("tokenizer_class")) config["tokenizer_class"] = "PreTrainedTokenizerFast";
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(assets.tokenizer_json));
  const auto name = [&](const char* key, int64_t id) {
    const std::string text = TokenText(*tokenizer, id);
    if (!text.empty() && !config.contains(key)) config[key] = text;
  };
  name("bos_token", spec.bos_id);
  name("eos_token", spec.eos_ids.empty() ? -1 : spec.eos_ids[0]);
  name("pad_token", spec.pad_id);
  return JsonText(config, 2) + "\n";
}

}  // namespace

absl::string_view TorchName(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return "float16";
    case DType::kBF16:
      return "bfloat16";
    default:
      return "float32";
  }
}

absl::Status WriteHuggingFaceFiles(const HuggingFaceFolder& contents, const ModelAssets& assets,
                                   const std::filesystem::path& folder) {
  ModelAssets written = assets;
  if (!assets.tokenizer_json.empty()) {
    TERSOR_ASSIGN_OR_RETURN(written.tokenizer_config_json, TokenizerConfigText(assets, contents.spec));
  }
  if (written.generation_config_json.empty()) written.generation_config_json = GenerationConfigText(contents.spec);
  TERSOR_RETURN_IF_ERROR(WriteAssetFiles(written, folder));
  TERSOR_ASSIGN_OR_RETURN(const std::string config, ConfigText(contents));
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / "config.json", config));
  return WriteFileAtomically(folder / "README.md", contents.model_card);
}

std::string ShellQuoted(const std::filesystem::path& path) {
  const std::string text = path.string();
  constexpr absl::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:@%,";
  if (!text.empty() && text.find_first_not_of(kPlain.data(), 0, kPlain.size()) == std::string::npos) return text;
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string PythonQuoted(const std::filesystem::path& path) {
  return absl::StrCat("'", absl::StrReplaceAll(path.string(), {{"\\", "\\\\"}, {"'", "\\'"}, {"\n", "\\n"}}), "'");
}

std::vector<v1::LoadCommand> HuggingFaceLoadCommands(const std::filesystem::path& folder) {
  std::vector<v1::LoadCommand> commands(2);
  // Inside double quotes of the shell.
  const std::string literal =
      absl::StrReplaceAll(PythonQuoted(folder), {{"\\", "\\\\"}, {"\"", "\\\""}, {"$", "\\$"}, {"`", "\\`"}});
  commands[0].set_program("transformers");
  commands[0].set_command(
      absl::StrCat("python3 -c \"from transformers import pipeline; print(pipeline('text-generation', ", literal,
                   ")('Gravity is', max_new_tokens=32))\""));
  commands[1].set_program("vLLM");
  commands[1].set_command(absl::StrCat("vllm serve ", ShellQuoted(folder)));
  return commands;
}

}  // namespace tersor
