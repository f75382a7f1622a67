#include "core/tokenizer/gguf_pre_tokenizer.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tersor {
namespace {

using nlohmann::json;

constexpr absl::string_view kLlama3Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr absl::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr absl::string_view kTekkenRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// "default" is what converters wrote before they named pre-tokenizers: GPT-2's.
constexpr GgufPreTokenizer kPreTokenizers[] = {
    {.name = "default"},
    {.name = "gpt-2"},
    {.name = "smollm", .splits_digits = true},
    {.name = "starcoder", .splits_digits = true},
    {.name = "llama-bpe", .split_regex = kLlama3Regex, .ignores_merges = true, .adds_bos = true},
    {.name = "llama3", .split_regex = kLlama3Regex, .ignores_merges = true, .adds_bos = true},
    {.name = "llama-v3", .split_regex = kLlama3Regex, .ignores_merges = true, .adds_bos = true},
    {.name = "qwen2", .split_regex = kQwen2Regex, .normalizes_nfc = true},
    {.name = "tekken", .split_regex = kTekkenRegex, .ignores_merges = true, .adds_bos = true},
};

json ByteLevelJson(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

}  // namespace

std::span<const GgufPreTokenizer> GgufPreTokenizers() { return kPreTokenizers; }

absl::StatusOr<const GgufPreTokenizer*> FindGgufPreTokenizer(absl::string_view name) {
  const absl::string_view wanted = name.empty() ? "default" : name;
  for (const GgufPreTokenizer& row : kPreTokenizers) {
    if (row.name == wanted) return &row;
  }
  const std::string known = absl::StrJoin(
      kPreTokenizers, ", ", [](std::string* out, const GgufPreTokenizer& row) { absl::StrAppend(out, row.name); });
  return absl::InvalidArgumentError(absl::StrCat("tokenizer.ggml.pre: unknown pre-tokenizer \"", name, "\"; known are ",
                                                 known,
                                                 ". Use the model's Hugging Face folder with its tokenizer.json"));
}

json PreTokenizerJson(const GgufPreTokenizer& pre_tokenizer) {
  json steps = json::array();
  if (pre_tokenizer.splits_digits) steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  if (!pre_tokenizer.split_regex.empty()) {
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", std::string(pre_tokenizer.split_regex)}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  }
  steps.push_back(ByteLevelJson(pre_tokenizer.split_regex.empty()));
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

}  // namespace tersor
