#include "core/tokenizer/gguf_tokenizer.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"
#include "core/tokenizer/gguf_merges.h"
#include "core/tokenizer/gguf_pre_tokenizer.h"

namespace tersor {
namespace {

using nlohmann::json;

constexpr absl::string_view kSentencePieceSpace = "\xE2\x96\x81";  // U+2581

absl::Status CheckId(const GgufTokenizerMetadata& metadata, absl::string_view key, int64_t id) {
  const auto count = static_cast<int64_t>(metadata.tokens.size());
  if (id < -1 || id >= count) {
    return absl::InvalidArgumentError(
        absl::StrCat("tokenizer.ggml.", key, " is ", id, ", but there are ", count, " tokens"));
  }
  return absl::OkStatus();
}

absl::Status CheckLength(const GgufTokenizerMetadata& metadata, absl::string_view key, size_t length) {
  if (length != 0 && length != metadata.tokens.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("tokenizer.ggml.", key, " has ", length, " entries for ", metadata.tokens.size(), " tokens"));
  }
  return absl::OkStatus();
}

absl::Status CheckTokens(const std::vector<std::string>& tokens) {
  if (tokens.empty()) return absl::InvalidArgumentError("tokenizer.ggml.tokens is missing or empty");
  absl::flat_hash_map<absl::string_view, size_t> seen;
  seen.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    TERSOR_RETURN_IF_ERROR(Annotate(CheckUtf8(tokens[id]), absl::StrCat("tokenizer.ggml.tokens[", id, "]")));
    const auto [earlier, is_new] = seen.emplace(tokens[id], id);
    if (!is_new) {
      return absl::InvalidArgumentError(
          absl::StrCat("tokenizer.ggml.tokens: ", earlier->second, " and ", id, " are both \"", tokens[id], "\""));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTokenTypes(const std::vector<int32_t>& types) {
  for (size_t id = 0; id < types.size(); ++id) {
    if (types[id] < kGgufTokenUndefined || types[id] > kGgufTokenByte) {
      return absl::InvalidArgumentError(
          absl::StrCat("tokenizer.ggml.token_type[", id, "] is ", types[id], ", which is no token type (0 to 6)"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMetadata(const GgufTokenizerMetadata& metadata) {
  TERSOR_RETURN_IF_ERROR(CheckTokens(metadata.tokens));
  TERSOR_RETURN_IF_ERROR(CheckLength(metadata, "scores", metadata.scores.size()));
  TERSOR_RETURN_IF_ERROR(CheckLength(metadata, "token_type", metadata.token_types.size()));
  TERSOR_RETURN_IF_ERROR(CheckTokenTypes(metadata.token_types));
  TERSOR_RETURN_IF_ERROR(CheckId(metadata, "bos_token_id", metadata.bos_id));
  TERSOR_RETURN_IF_ERROR(CheckId(metadata, "eos_token_id", metadata.eos_id));
  TERSOR_RETURN_IF_ERROR(CheckId(metadata, "unknown_token_id", metadata.unknown_id));
  return CheckId(metadata, "padding_token_id", metadata.padding_id);
}

bool IsSpecial(const GgufTokenizerMetadata& metadata, int64_t id) {
  if (metadata.token_types.empty()) {
    return id == metadata.bos_id || id == metadata.eos_id || id == metadata.unknown_id || id == metadata.padding_id;
  }
  return metadata.token_types[id] == kGgufTokenControl || metadata.token_types[id] == kGgufTokenUnknown;
}

// As llama.cpp's vocabulary has it.
bool TakesSpacesAfter(const GgufTokenizerMetadata& metadata, absl::string_view token) {
  return metadata.is_phi3 && token != "<unk>" && token != "<s>" && token != "<|endoftext|>";
}

// Tokens that are found in a text before it is pre-tokenized: the special ones and those that the model's author added.
json AddedTokensJson(const GgufTokenizerMetadata& metadata) {
  json added = json::array();
  for (size_t id = 0; id < metadata.tokens.size(); ++id) {
    const bool special = IsSpecial(metadata, static_cast<int64_t>(id));
    const bool user = !metadata.token_types.empty() && metadata.token_types[id] == kGgufTokenUserDefined;
    // The crate refuses to look for an empty string.
    if ((!special && !user) || metadata.tokens[id].empty()) continue;
    added.push_back({{"id", id},
                     {"content", metadata.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", TakesSpacesAfter(metadata, metadata.tokens[id])},
                     {"normalized", false},
                     {"special", special}});
  }
  return added;
}

// Tersor asks for no added special tokens; other programs that load an exported folder go by this.
json PostProcessorJson(const GgufTokenizerMetadata& metadata) {
  const bool bos = GgufTokenizerAddsBos(metadata);
  const bool eos = metadata.add_eos.value_or(false) && metadata.eos_id >= 0;
  if (!bos && !eos) return nullptr;
  json specials = json::object();
  const auto special = [&](int64_t id, int type) -> json {
    const std::string& token = metadata.tokens[id];
    specials[token] = {{"id", token}, {"ids", {id}}, {"tokens", {token}}};
    return {{"SpecialToken", {{"id", token}, {"type_id", type}}}};
  };
  const auto append_sequence = [&](json& parts, const char* name, int type) {
    if (bos) parts.push_back(special(metadata.bos_id, type));
    parts.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
    if (eos) parts.push_back(special(metadata.eos_id, type));
  };
  json single = json::array();
  json pair = json::array();
  append_sequence(single, "A", 0);
  append_sequence(pair, "A", 0);
  append_sequence(pair, "B", 1);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", specials}};
}

json VocabularyJson(const std::vector<std::string>& tokens) {
  json vocabulary = json::object();
  for (size_t id = 0; id < tokens.size(); ++id) vocabulary[tokens[id]] = id;
  return vocabulary;
}

json ModelJson(const GgufTokenizerMetadata& metadata, const std::vector<GgufMerge>& merges) {
  json pairs = json::array();
  for (const GgufMerge& merge : merges) pairs.push_back({std::string(merge.left), std::string(merge.right)});
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", VocabularyJson(metadata.tokens)},
          {"merges", std::move(pairs)}};
}

absl::StatusOr<json> ByteLevelBpe(const GgufTokenizerMetadata& metadata) {
  TERSOR_ASSIGN_OR_RETURN(const GgufPreTokenizer* pre, FindGgufPreTokenizer(metadata.pre));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<GgufMerge> merges, ParseMerges(metadata.merges));
  json model = ModelJson(metadata, merges);
  model["ignore_merges"] = pre->ignores_merges;
  return json{
      {"normalizer", pre->normalizes_nfc ? json{{"type", "NFC"}} : json(nullptr)},
      {"pre_tokenizer", PreTokenizerJson(*pre)},
      {"post_processor", PostProcessorJson(metadata)},
      {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
      {"model", std::move(model)}};
}

// As transformers converts a SentencePiece model of type BPE with byte fallback (Llama 2, TinyLlama, Mistral 7B).
absl::StatusOr<json> SentencePieceBpe(const GgufTokenizerMetadata& metadata) {
  const std::string space(kSentencePieceSpace);
  const bool prefix = metadata.add_space_prefix.value_or(true);
  std::vector<GgufMerge> merges;
  if (metadata.merges.empty()) {
    TERSOR_ASSIGN_OR_RETURN(merges, MergesFromScores(metadata));
  } else {
    TERSOR_ASSIGN_OR_RETURN(merges, ParseMerges(metadata.merges));
  }
  json model = ModelJson(metadata, merges);
  if (metadata.unknown_id >= 0) model["unk_token"] = metadata.tokens[metadata.unknown_id];
  model["fuse_unk"] = true;
  model["byte_fallback"] = true;

  json normalizers = json::array();
  if (prefix) normalizers.push_back({{"type", "Prepend"}, {"prepend", space}});
  normalizers.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space}});
  json decoders = json::array({{{"type", "Replace"}, {"pattern", {{"String", space}}}, {"content", " "}},
                               {{"type", "ByteFallback"}},
                               {{"type", "Fuse"}}});
  if (prefix) decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return json{{"normalizer", {{"type", "Sequence"}, {"normalizers", std::move(normalizers)}}},
              {"pre_tokenizer", nullptr},
              {"post_processor", PostProcessorJson(metadata)},
              {"decoder", {{"type", "Sequence"}, {"decoders", std::move(decoders)}}},
              {"model", std::move(model)}};
}

absl::StatusOr<json> ConvertModel(const GgufTokenizerMetadata& metadata) {
  if (metadata.model == "gpt2") return ByteLevelBpe(metadata);
  if (metadata.model == "llama") return SentencePieceBpe(metadata);
  return absl::InvalidArgumentError(absl::StrCat("tokenizer.ggml.model: unknown tokenizer model \"", metadata.model,
                                                 "\"; known are gpt2 (byte-level BPE) and llama (SentencePiece BPE)"));
}

}  // namespace

absl::StatusOr<std::string> TokenizerJsonFromGguf(const GgufTokenizerMetadata& metadata) {
  TERSOR_RETURN_IF_ERROR(CheckMetadata(metadata));
  TERSOR_ASSIGN_OR_RETURN(json tokenizer, ConvertModel(metadata));
  tokenizer["version"] = "1.0";
  tokenizer["truncation"] = nullptr;
  tokenizer["padding"] = nullptr;
  tokenizer["added_tokens"] = AddedTokensJson(metadata);
  return tokenizer.dump();
}

bool IsGgufPhi3Name(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  return absl::StrContains(lower, "phi3") || absl::StrContains(lower, "phi-3");
}

bool GgufTokenizerAddsBos(const GgufTokenizerMetadata& metadata) {
  if (metadata.bos_id < 0) return false;
  if (metadata.add_bos.has_value()) return *metadata.add_bos;
  if (metadata.model == "llama") return true;
  const auto pre = FindGgufPreTokenizer(metadata.pre);
  return pre.ok() && (*pre)->adds_bos;
}

}  // namespace tersor
