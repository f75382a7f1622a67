#include "core/model/huggingface_assets.h"

#include <array>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/input_file.h"
#include "core/base/utf8.h"
#include "core/formats/json_fields.h"
#include "core/formats/json_text.h"

namespace tersor {
namespace {

constexpr uint64_t kMaxAssetBytes = uint64_t{256} << 20;
constexpr std::array kLicenceNames = {"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"};

// An empty text where there is no such file.
absl::StatusOr<std::string> ReadIfThere(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::string();
  return ReadInputFile(path, kMaxAssetBytes);
}

void Warn(const absl::Status& fault, std::vector<SourceWarning>& warnings) {
  warnings.push_back({"TOKENIZER", absl::StrCat(fault.message(), "; it is ignored")});
}

// The object of a JSON file's text; an empty object where there is no text. A text that is none is emptied and told.
nlohmann::json ObjectOf(std::string& text, absl::string_view where, std::vector<SourceWarning>& warnings) {
  if (text.empty()) return nlohmann::json::object();
  absl::StatusOr<nlohmann::json> object = ParseJsonObject(text, where);
  if (object.ok()) return *std::move(object);
  Warn(object.status(), warnings);
  text.clear();
  return nlohmann::json::object();
}

// A template stands alone, or in a list of named ones.
std::string ChatTemplateOf(const nlohmann::json& tokenizer_config) {
  const nlohmann::json* value = JsonFields(tokenizer_config).Find("chat_template");
  if (value == nullptr) return "";
  if (value->is_string()) return value->get<std::string>();
  if (!value->is_array()) return "";
  for (const nlohmann::json& item : *value) {
    if (!item.is_object()) continue;
    const JsonFields fields(item);
    if (fields.StringOr("name", "").value_or("") == "default") return fields.StringOr("template", "").value_or("");
  }
  return "";
}

// Whether the tokenizer's post-processor puts a special token before a single text.
bool PutsTokenFirst(const nlohmann::json& tokenizer) {
  const nlohmann::json::json_pointer first("/post_processor/single/0/SpecialToken");
  if (tokenizer.contains(first)) return true;
  const nlohmann::json::json_pointer parts("/post_processor/processors");
  if (!tokenizer.contains(parts) || !tokenizer[parts].is_array()) return false;
  for (const nlohmann::json& part : tokenizer[parts]) {
    if (part.contains(nlohmann::json::json_pointer("/single/0/SpecialToken"))) return true;
  }
  return false;
}

// "license: apache-2.0" between the two "---" lines that begin a model card.
std::string LicenceId(absl::string_view card) {
  if (!absl::ConsumePrefix(&card, "---")) return "";
  for (absl::string_view line : absl::StrSplit(card.substr(0, card.find("\n---")), '\n')) {
    if (absl::ConsumePrefix(&line, "license:")) return std::string(absl::StripAsciiWhitespace(line));
  }
  return "";
}

}  // namespace

absl::StatusOr<ModelAssets> ReadHuggingFaceAssets(const std::filesystem::path& folder,
                                                  std::vector<SourceWarning>& warnings) {
  ModelAssets assets;
  const std::string tokenizer_path = (folder / "tokenizer.json").string();
  const std::string config_path = (folder / "tokenizer_config.json").string();
  TERSOR_ASSIGN_OR_RETURN(assets.tokenizer_json, ReadIfThere(tokenizer_path));
  TERSOR_ASSIGN_OR_RETURN(assets.tokenizer_config_json, ReadIfThere(config_path));
  TERSOR_ASSIGN_OR_RETURN(assets.generation_config_json, ReadIfThere(folder / "generation_config.json"));
  TERSOR_ASSIGN_OR_RETURN(assets.chat_template, ReadIfThere(folder / "chat_template.jinja"));
  if (const absl::Status utf8 = CheckUtf8(assets.chat_template); !utf8.ok()) {
    Warn(Annotate(utf8, (folder / "chat_template.jinja").string()), warnings);
    assets.chat_template.clear();
  }
  const nlohmann::json config = ObjectOf(assets.tokenizer_config_json, config_path, warnings);
  nlohmann::json tokenizer = nlohmann::json::object();
  if (!assets.tokenizer_json.empty()) {
    absl::StatusOr<nlohmann::json> read = ParseJsonObject(assets.tokenizer_json, tokenizer_path);
    if (!read.ok()) assets.tokenizer_json.clear();
    assets.tokenizer_fault = std::string(read.status().message());
    if (read.ok()) tokenizer = *std::move(read);
  }
  if (assets.chat_template.empty()) assets.chat_template = ChatTemplateOf(config);
  absl::StatusOr<bool> add_bos = JsonFields(config).BoolOr("add_bos_token", PutsTokenFirst(tokenizer));
  if (!add_bos.ok()) Warn(Annotate(add_bos.status(), config_path), warnings);
  assets.add_bos = add_bos.ok() ? *add_bos : PutsTokenFirst(tokenizer);
  for (const char* name : kLicenceNames) {
    if (!assets.licence_text.empty()) break;
    TERSOR_ASSIGN_OR_RETURN(assets.licence_text, ReadIfThere(folder / name));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::string card, ReadIfThere(folder / "README.md"));
  assets.licence_id = ReplaceInvalidUtf8(LicenceId(card));
  return assets;
}

std::vector<int64_t> GenerationEosIds(absl::string_view generation_config_json, absl::string_view where,
                                      std::vector<SourceWarning>& warnings) {
  std::string text(generation_config_json);
  const nlohmann::json config = ObjectOf(text, where, warnings);
  // -1 stands for none.
  absl::StatusOr<std::vector<int64_t>> ids = JsonFields(config).IntegersOrNone("eos_token_id", -1, INT32_MAX);
  if (!ids.ok()) {
    Warn(Annotate(ids.status(), where), warnings);
    return {};
  }
  std::erase(*ids, -1);
  return *std::move(ids);
}

}  // namespace tersor
