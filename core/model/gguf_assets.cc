#include "core/model/gguf_assets.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/formats/json_text.h"
#include "core/model/gguf_token_ids.h"
#include "core/model/known_licences.h"
#include "core/tokenizer/gguf_tokenizer.h"

namespace tersor {
namespace {

constexpr char kTokens[] = "tokenizer.ggml.tokens";

absl::StatusOr<std::optional<bool>> Flag(const GgufMetadata& metadata, absl::string_view key) {
  if (!metadata.Has(key)) return std::optional<bool>();
  TERSOR_ASSIGN_OR_RETURN(const bool value, metadata.Bool(key));
  return std::optional<bool>(value);
}

absl::Status ReadTables(const GgufMetadata& metadata, GgufTokenizerMetadata& tokenizer) {
  TERSOR_ASSIGN_OR_RETURN(tokenizer.tokens, metadata.Strings(kTokens));
  if (metadata.Has("tokenizer.ggml.scores")) {
    TERSOR_ASSIGN_OR_RETURN(const std::vector<double> scores, metadata.Floats("tokenizer.ggml.scores"));
    for (const double score : scores) tokenizer.scores.push_back(static_cast<float>(score));
  }
  if (metadata.Has("tokenizer.ggml.token_type")) {
    TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> types, metadata.Integers("tokenizer.ggml.token_type"));
    for (const int64_t type : types) {
      // What is no type at all stays one that the tokenizer refuses.
      tokenizer.token_types.push_back(type >= 0 && type <= INT32_MAX ? static_cast<int32_t>(type) : -1);
    }
  }
  if (metadata.Has("tokenizer.ggml.merges")) {
    TERSOR_ASSIGN_OR_RETURN(tokenizer.merges, metadata.Strings("tokenizer.ggml.merges"));
  }
  return absl::OkStatus();
}

// llama.cpp's name for a token that has none; two such would be equal.
void NameEmptyTokens(std::vector<std::string>& tokens, std::vector<SourceWarning>& warnings) {
  size_t count = 0, first = 0;
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (!tokens[id].empty()) continue;
    tokens[id] = absl::StrCat("[EMPTY_", id, "]");
    if (count++ == 0) first = id;
  }
  if (count == 0) return;
  warnings.push_back({"TOKENIZER", absl::StrCat(kTokens, " has ", count, " empty tokens, the first one at ", first,
                                                ": no text becomes them")});
}

// GPT-2's splitting stands for a name that the file lacks.
void WarnOfPre(const GgufTokenizerMetadata& tokenizer, std::vector<SourceWarning>& warnings) {
  if (tokenizer.model != "gpt2" || (!tokenizer.pre.empty() && tokenizer.pre != "default")) return;
  warnings.push_back({"TOKENIZER", absl::StrCat("tokenizer.ggml.pre is ", tokenizer.pre.empty() ? "missing" : "default",
                                                ": the pre-tokenizer is taken for GPT-2's, which may split text "
                                                "otherwise than the model's own does")});
}

absl::StatusOr<GgufTokenizerMetadata> ReadTokenizer(const GgufMetadata& metadata,
                                                    std::vector<SourceWarning>& warnings) {
  GgufTokenizerMetadata tokenizer;
  TERSOR_ASSIGN_OR_RETURN(tokenizer.model, metadata.StringOr("tokenizer.ggml.model", ""));
  TERSOR_ASSIGN_OR_RETURN(tokenizer.pre, metadata.StringOr("tokenizer.ggml.pre", ""));
  TERSOR_RETURN_IF_ERROR(ReadTables(metadata, tokenizer));
  NameEmptyTokens(tokenizer.tokens, warnings);
  WarnOfPre(tokenizer, warnings);
  const auto id_of = [&](absl::string_view key) {
    return GgufTokenId(metadata, key, static_cast<int64_t>(tokenizer.tokens.size()), &warnings);
  };
  tokenizer.bos_id = id_of("tokenizer.ggml.bos_token_id");
  tokenizer.eos_id = id_of("tokenizer.ggml.eos_token_id");
  tokenizer.unknown_id = id_of("tokenizer.ggml.unknown_token_id");
  tokenizer.padding_id = id_of("tokenizer.ggml.padding_token_id");
  TERSOR_ASSIGN_OR_RETURN(tokenizer.add_bos, Flag(metadata, "tokenizer.ggml.add_bos_token"));
  TERSOR_ASSIGN_OR_RETURN(tokenizer.add_eos, Flag(metadata, "tokenizer.ggml.add_eos_token"));
  TERSOR_ASSIGN_OR_RETURN(tokenizer.add_space_prefix, Flag(metadata, "tokenizer.ggml.add_space_prefix"));
  TERSOR_ASSIGN_OR_RETURN(const std::string name, metadata.StringOr("general.name", ""));
  tokenizer.is_phi3 = IsGgufPhi3Name(name);
  return tokenizer;
}

std::string TokenizerConfig(const GgufTokenizerMetadata& tokenizer, const ModelAssets& assets, const ModelSpec& spec) {
  nlohmann::json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                           {"model_max_length", spec.context_length},
                           {"clean_up_tokenization_spaces", false}};
  const auto name = [&](const char* key, int64_t id) {
    if (id >= 0 && id < static_cast<int64_t>(tokenizer.tokens.size())) config[key] = tokenizer.tokens[id];
  };
  name("bos_token", tokenizer.bos_id);
  name("eos_token", tokenizer.eos_id);
  name("unk_token", tokenizer.unknown_id);
  name("pad_token", tokenizer.padding_id);
  if (!assets.chat_template.empty()) config["chat_template"] = assets.chat_template;
  return JsonText(config, 2) + "\n";
}

std::string GenerationConfig(const ModelSpec& spec) {
  nlohmann::json config = nlohmann::json::object();
  if (spec.bos_id >= 0) config["bos_token_id"] = spec.bos_id;
  if (spec.pad_id >= 0) config["pad_token_id"] = spec.pad_id;
  if (spec.eos_ids.size() == 1) config["eos_token_id"] = spec.eos_ids.front();
  if (spec.eos_ids.size() > 1) config["eos_token_id"] = spec.eos_ids;
  return JsonText(config, 2) + "\n";
}

// Empty, with a warning, where it is no text.
std::string TextOrWarning(const GgufMetadata& metadata, absl::string_view key, std::vector<SourceWarning>& warnings) {
  absl::StatusOr<std::string> text = metadata.StringOr(key, "");
  if (text.ok()) return *std::move(text);
  warnings.push_back({"TOKENIZER", absl::StrCat(text.status().message(), "; it is ignored")});
  return "";
}

absl::Status AddTokenizer(const GgufMetadata& metadata, const ModelSpec& spec, std::vector<SourceWarning>& warnings,
                          ModelAssets& assets) {
  TERSOR_ASSIGN_OR_RETURN(const GgufTokenizerMetadata tokenizer, ReadTokenizer(metadata, warnings));
  TERSOR_ASSIGN_OR_RETURN(assets.tokenizer_json, TokenizerJsonFromGguf(tokenizer));
  assets.tokenizer_config_json = TokenizerConfig(tokenizer, assets, spec);
  assets.gguf_pre_tokenizer = tokenizer.pre;
  assets.add_bos = GgufTokenizerAddsBos(tokenizer);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelAssets> AssetsFromGguf(const GgufMetadata& metadata, const ModelSpec& spec,
                                           std::vector<SourceWarning>& warnings) {
  ModelAssets assets;
  assets.licence_id = TextOrWarning(metadata, "general.license", warnings);
  // Such a licence asks that its text goes with the files.
  assets.licence_text = std::string(KnownLicenceText(assets.licence_id));
  assets.chat_template = TextOrWarning(metadata, "tokenizer.chat_template", warnings);
  assets.generation_config_json = GenerationConfig(spec);
  if (!metadata.Has(kTokens)) return assets;
  const absl::Status usable = AddTokenizer(metadata, spec, warnings, assets);
  assets.tokenizer_fault = std::string(usable.message());
  return assets;
}

}  // namespace tersor
