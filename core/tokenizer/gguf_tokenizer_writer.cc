#include "core/tokenizer/gguf_tokenizer_writer.h"

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/tokenizer/gguf_pre_tokenizer.h"

namespace tersor {
namespace {

using nlohmann::json;

constexpr int64_t kMaxVocabulary = int64_t{1} << 24;

absl::Status Fault(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("tokenizer.json: ", what));
}

// The value under `pointer`, null where it is missing.
const json& At(const json& value, const char* pointer) {
  static const json* const kNull = new json();
  const json::json_pointer path(pointer);
  return value.contains(path) ? value[path] : *kNull;
}

bool IsTrue(const json& value, const char* pointer) { return At(value, pointer) == json(true); }

// Steps of a sequence, or the single step.
std::vector<json> Steps(const json& part, const char* list) {
  if (part.is_null()) return {};
  if (At(part, "/type") == json("Sequence") && At(part, list).is_array()) return At(part, list);
  return {part};
}

// What a byte-level tokenizer does before merging, in the terms of a row of the table.
struct Splitting {
  bool digits = false;
  std::vector<std::string> regexes;
  bool nfc = false;
  bool ignores_merges = false;
};

absl::StatusOr<Splitting> ReadSplitting(const json& tokenizer) {
  Splitting splitting;
  bool byte_level = false;
  for (const json& step : Steps(At(tokenizer, "/pre_tokenizer"), "/pretokenizers")) {
    const json& type = At(step, "/type");
    if (type == json("ByteLevel")) {
      byte_level = true;
      if (IsTrue(step, "/add_prefix_space")) return absl::UnimplementedError("ByteLevel adds a prefix space");
      if (IsTrue(step, "/use_regex") != splitting.regexes.empty()) {
        return absl::UnimplementedError("ByteLevel does not split as GGUF's names expect");
      }
    } else if (type == json("Digits") && IsTrue(step, "/individual_digits")) {
      splitting.digits = true;
    } else if (type == json("Split") && At(step, "/behavior") == json("Isolated") && !IsTrue(step, "/invert") &&
               At(step, "/pattern/Regex").is_string()) {
      splitting.regexes.push_back(At(step, "/pattern/Regex").get<std::string>());
    } else {
      return absl::UnimplementedError(absl::StrCat("GGUF has no name for pre-tokenizer ", type.dump()));
    }
  }
  splitting.ignores_merges = IsTrue(tokenizer, "/model/ignore_merges");
  if (!byte_level) return absl::UnimplementedError("neither byte-level nor SentencePiece BPE");
  const json& normalizer = At(tokenizer, "/normalizer");
  splitting.nfc = At(normalizer, "/type") == json("NFC");
  if (!normalizer.is_null() && !splitting.nfc) {
    return absl::UnimplementedError(absl::StrCat("GGUF has no name for normalizer ", At(normalizer, "/type").dump()));
  }
  return splitting;
}

bool SplitsAlike(const GgufPreTokenizer& row, const Splitting& splitting) {
  std::vector<std::string> regexes(row.split_regexes.begin(), row.split_regexes.end());
  std::erase(regexes, "");
  return row.splits_digits == splitting.digits && regexes == splitting.regexes && row.normalizes_nfc == splitting.nfc;
}

absl::StatusOr<std::string> PreTokenizerName(const json& tokenizer, absl::string_view hint) {
  TERSOR_ASSIGN_OR_RETURN(const Splitting splitting, ReadSplitting(tokenizer));
  const GgufPreTokenizer* found = nullptr;
  for (const GgufPreTokenizer& row : GgufPreTokenizers()) {
    if (row.name == "default" || !SplitsAlike(row, splitting)) continue;
    if (row.name == hint) return std::string(hint);
    const bool closer = found != nullptr && found->ignores_merges != splitting.ignores_merges &&
                        row.ignores_merges == splitting.ignores_merges;
    if (found == nullptr || closer) found = &row;
  }
  if (found == nullptr) return absl::UnimplementedError("its pre-tokenizer splits as none that GGUF names");
  return std::string(found->name);
}

absl::Status SetToken(std::vector<std::string>& tokens, const std::string& text, const json& id) {
  if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= static_cast<int64_t>(tokens.size())) {
    return Fault(
        absl::StrCat("token \"", text, "\" has id ", id.dump(), ", outside the vocabulary of ", tokens.size()));
  }
  tokens[id.get<int64_t>()] = text;
  return absl::OkStatus();
}

bool IsByteToken(absl::string_view token) {
  return token.size() == 6 && absl::StartsWith(token, "<0x") && absl::EndsWith(token, ">");
}

absl::Status ReadAddedTokens(const json& tokenizer, GgufTokenizerMetadata& metadata) {
  const json& added = At(tokenizer, "/added_tokens");
  if (added.is_null()) return absl::OkStatus();
  if (!added.is_array()) return Fault("added_tokens is not a list");
  for (const json& token : added) {
    if (!At(token, "/content").is_string()) return Fault("an added token has no content");
    TERSOR_RETURN_IF_ERROR(SetToken(metadata.tokens, At(token, "/content").get<std::string>(), At(token, "/id")));
    metadata.token_types[At(token, "/id").get<int64_t>()] =
        IsTrue(token, "/special") ? kGgufTokenControl : kGgufTokenUserDefined;
  }
  return absl::OkStatus();
}

absl::Status ReadTokens(const json& tokenizer, int64_t vocabulary, GgufTokenizerMetadata& metadata) {
  const json& vocab = At(tokenizer, "/model/vocab");
  if (!vocab.is_object()) return Fault("model.vocab is not an object");
  if (vocabulary < 1 || vocabulary > kMaxVocabulary) return Fault(absl::StrCat("a vocabulary of ", vocabulary));
  metadata.tokens.resize(vocabulary);
  metadata.token_types.assign(vocabulary, kGgufTokenUnused);
  for (const auto& [token, id] : vocab.items()) {
    TERSOR_RETURN_IF_ERROR(SetToken(metadata.tokens, token, id));
    const bool byte = metadata.model == "llama" && IsByteToken(token);
    metadata.token_types[id.get<int64_t>()] = byte ? kGgufTokenByte : kGgufTokenNormal;
  }
  TERSOR_RETURN_IF_ERROR(ReadAddedTokens(tokenizer, metadata));
  for (int64_t id = 0; id < vocabulary; ++id) {
    if (metadata.token_types[id] == kGgufTokenUnused) metadata.tokens[id] = absl::StrCat("[PAD", id, "]");
  }
  const json& unknown = At(tokenizer, "/model/unk_token");
  if (unknown.is_string() && vocab.contains(unknown.get<std::string>())) {
    metadata.unknown_id = vocab[unknown.get<std::string>()].get<int64_t>();
    if (metadata.model == "llama") metadata.token_types[metadata.unknown_id] = kGgufTokenUnknown;
  }
  return absl::OkStatus();
}

// Merges are "left right" or, in newer files, ["left", "right"].
absl::Status ReadMerges(const json& tokenizer, GgufTokenizerMetadata& metadata) {
  const json& merges = At(tokenizer, "/model/merges");
  if (!merges.is_array()) return Fault("model.merges is not a list");
  for (const json& merge : merges) {
    if (merge.is_string()) {
      metadata.merges.push_back(merge.get<std::string>());
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      const std::string left = merge[0], right = merge[1];
      if (absl::StrContains(left, ' ') || absl::StrContains(right, ' ')) {
        return absl::UnimplementedError("a merge holds a space, which GGUF cannot say");
      }
      metadata.merges.push_back(absl::StrCat(left, " ", right));
    } else {
      return Fault("a merge is neither a string nor a pair of strings");
    }
  }
  return absl::OkStatus();
}

// SentencePiece ranks tokens, not pairs: a token's score falls with the rank of the first merge that makes it.
void ScoresFromMerges(GgufTokenizerMetadata& metadata) {
  absl::flat_hash_map<std::string, size_t> ids;
  for (size_t id = 0; id < metadata.tokens.size(); ++id) ids.emplace(metadata.tokens[id], id);
  constexpr float kUnscored = std::numeric_limits<float>::lowest();
  metadata.scores.assign(metadata.tokens.size(), kUnscored);
  float score = 0;
  for (const std::string& merge : metadata.merges) {
    const size_t space = merge.find(' ');
    const auto made = ids.find(merge.substr(0, space) + merge.substr(space == std::string::npos ? space : space + 1));
    if (space == std::string::npos || made == ids.end() || metadata.scores[made->second] != kUnscored) continue;
    metadata.scores[made->second] = score;
    score -= 1;
  }
  for (size_t id = 0; id < metadata.tokens.size(); ++id) {
    if (metadata.scores[id] != kUnscored) continue;
    // As SentencePiece has it: special and byte tokens 0, characters below all merges.
    metadata.scores[id] = metadata.token_types[id] == kGgufTokenNormal ? score : 0;
  }
  metadata.merges.clear();
}

bool HasPrefixSpace(const json& tokenizer) {
  for (const json& step : Steps(At(tokenizer, "/normalizer"), "/normalizers")) {
    if (At(step, "/type") == json("Prepend")) return true;
  }
  for (const json& step : Steps(At(tokenizer, "/pre_tokenizer"), "/pretokenizers")) {
    const json& scheme = At(step, "/prepend_scheme");
    if (At(step, "/type") == json("Metaspace") && scheme != json("never")) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<GgufTokenizerMetadata> GgufTokenizerFromJson(absl::string_view tokenizer_json, int64_t vocabulary,
                                                            absl::string_view pre_hint) {
  const json tokenizer = json::parse(tokenizer_json.begin(), tokenizer_json.end(), nullptr, /*allow_exceptions=*/false);
  if (!tokenizer.is_object()) return Fault("not a JSON object");
  const json& type = At(tokenizer, "/model/type");
  if (!type.is_null() && type != json("BPE")) {
    return absl::UnimplementedError(absl::StrCat("tokenizer.json: model ", type.dump(), " cannot be written to GGUF"));
  }
  GgufTokenizerMetadata metadata;
  metadata.model = IsTrue(tokenizer, "/model/byte_fallback") ? "llama" : "gpt2";
  TERSOR_RETURN_IF_ERROR(ReadTokens(tokenizer, vocabulary, metadata));
  const absl::Status merges = ReadMerges(tokenizer, metadata);
  if (!merges.ok()) return Annotate(merges, "tokenizer.json");
  if (metadata.model == "llama") {
    metadata.pre = "default";
    metadata.add_space_prefix = HasPrefixSpace(tokenizer);
    ScoresFromMerges(metadata);
    return metadata;
  }
  absl::StatusOr<std::string> pre = PreTokenizerName(tokenizer, pre_hint);
  if (!pre.ok()) return Annotate(pre.status(), "tokenizer.json");
  metadata.pre = *std::move(pre);
  return metadata;
}

}  // namespace tersor
