#include "core/model/special_tokens.h"

#include <algorithm>
#include <utility>

#include "core/formats/json_text.h"

namespace tersor {
namespace {

// A text that every tokenizer has ids for.
constexpr absl::string_view kProbe = "a";

std::string TokenText(const Tokenizer* tokenizer, int64_t id) {
  if (tokenizer == nullptr || id < 0 || id > INT32_MAX) return "";
  const auto token = static_cast<int32_t>(id);
  return tokenizer->Decode({&token, 1}).value_or("");
}

SpecialToken TokenOf(const Tokenizer* tokenizer, int64_t id) {
  SpecialToken token{id, TokenText(tokenizer, id)};
  // A real tokenizer's ids are all texts.
  if (tokenizer != nullptr && token.text.empty()) token.id = -1;
  return token;
}

// Either the text or an object that holds it.
const nlohmann::json& TextOf(const nlohmann::json& token) {
  return token.is_object() && token.contains("content") ? token["content"] : token;
}

SpecialToken Named(const nlohmann::json& config, const char* key, int64_t config_id, const Tokenizer* tokenizer) {
  if (tokenizer == nullptr || !config.contains(key)) return TokenOf(tokenizer, config_id);
  const nlohmann::json& text = TextOf(config[key]);
  if (text.is_null()) return {};
  const int64_t id = text.is_string() ? tokenizer->TokenToId(text.get_ref<const std::string&>()) : -1;
  return id < 0 ? TokenOf(tokenizer, config_id) : SpecialToken{id, text.get<std::string>()};
}

// What stands around the probe's own ids.
absl::StatusOr<TextFrame> PostProcessorFrame(const Tokenizer& tokenizer) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> plain, tokenizer.Encode(kProbe));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> whole, tokenizer.EncodeWithSpecial(kProbe));
  TextFrame frame;
  const auto found = std::search(whole.begin(), whole.end(), plain.begin(), plain.end());
  if (found == whole.end() && !plain.empty()) {
    return absl::InvalidArgumentError("tokenizer.json: its post-processor changes the tokens of a text");
  }
  frame.before.assign(whole.begin(), found);
  frame.after.assign(found + static_cast<int64_t>(plain.size()), whole.end());
  return frame;
}

absl::StatusOr<TextFrame> FrameOf(const nlohmann::json& config, const ModelAssets& assets, const SpecialTokens& tokens,
                                  const Tokenizer& tokenizer) {
  TERSOR_ASSIGN_OR_RETURN(TextFrame frame, PostProcessorFrame(tokenizer));
  frame.marker = tokens.prefix().text;
  if (!frame.empty()) return frame;
  if (assets.add_bos && tokens.bos.id >= 0) frame.before = {static_cast<int32_t>(tokens.bos.id)};
  const bool adds_eos = config.contains("add_eos_token") && config["add_eos_token"] == nlohmann::json(true);
  if (adds_eos && tokens.eos.id >= 0) frame.after = {static_cast<int32_t>(tokens.eos.id)};
  return frame;
}

absl::StatusOr<nlohmann::json> ConfigOf(const ModelAssets& assets) {
  if (assets.tokenizer_config_json.empty()) return nlohmann::json::object();
  return ParseJsonObject(assets.tokenizer_config_json, "tokenizer_config.json");
}

}  // namespace

absl::StatusOr<SpecialTokens> SpecialTokensOf(const ModelSpec& spec, const ModelAssets& assets,
                                              const Tokenizer* tokenizer) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json config, ConfigOf(assets));
  SpecialTokens tokens;
  tokens.bos = Named(config, "bos_token", spec.bos_id, tokenizer);
  tokens.eos = Named(config, "eos_token", spec.eos_ids.empty() ? -1 : spec.eos_ids.front(), tokenizer);
  tokens.pad = Named(config, "pad_token", spec.pad_id, tokenizer);
  tokens.unk = Named(config, "unk_token", -1, tokenizer);
  if (tokens.eos.id >= 0) tokens.ends.push_back(tokens.eos.id);
  for (const int64_t id : spec.eos_ids) {
    if (std::find(tokens.ends.begin(), tokens.ends.end(), id) == tokens.ends.end()) tokens.ends.push_back(id);
  }
  if (tokenizer != nullptr) {
    TERSOR_ASSIGN_OR_RETURN(tokens.frame, FrameOf(config, assets, tokens, *tokenizer));
  }
  return tokens;
}

}  // namespace tersor
