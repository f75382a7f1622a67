#include "core/tokenizer/gguf_pre_tokenizer.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

using nlohmann::json;

constexpr absl::string_view kLlama3Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr absl::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr absl::string_view kQwen35Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr absl::string_view kSeedCoderRegex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr absl::string_view kGpt4oRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// DeepSeek's come in steps.
constexpr absl::string_view kLineEnds = R"([\r\n])";
constexpr absl::string_view kLetters = R"(\s?\p{L}+)";
constexpr absl::string_view kPunctuation = R"(\s?\p{P}+)";
constexpr absl::string_view kHanAndHangul = R"([\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
constexpr absl::string_view kDigit = R"(\p{N})";
constexpr absl::string_view kThreeDigits = R"(\p{N}{1,3})";
constexpr absl::string_view kHanAndKana = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr absl::string_view kDeepSeek3Regex =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr absl::string_view kTekkenRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// The rows of llama.cpp's list that models of a readable architecture have. "default" is what converters wrote before
// they named pre-tokenizers: GPT-2's is taken for it. Of rows that split alike the first one is written.
constexpr GgufPreTokenizer kPreTokenizers[] = {
    {.name = "default"},
    {.name = "gpt-2"},
    {.name = "phi-2"},
    {.name = "jina-es"},
    {.name = "jina-de"},
    {.name = "jina-v2-es"},
    {.name = "jina-v2-de"},
    {.name = "jina-v1-en"},
    {.name = "jina-v2-code"},
    {.name = "roberta-bpe"},
    {.name = "gigachat"},
    {.name = "a.x-4.0"},
    {.name = "mellum"},
    {.name = "exaone4"},
    {.name = "jais"},
    {.name = "trillion"},
    {.name = "granite-docling"},
    {.name = "mpt", .normalizes_nfc = true},
    {.name = "olmo", .normalizes_nfc = true},
    {.name = "modern-bert", .normalizes_nfc = true},
    {.name = "smollm", .splits_digits = true},
    {.name = "starcoder", .splits_digits = true},
    {.name = "refact", .splits_digits = true},
    {.name = "codeshell", .splits_digits = true},
    {.name = "exaone", .splits_digits = true},
    {.name = "minerva-7b", .splits_digits = true},
    {.name = "mellum2", .splits_digits = true},
    {.name = "command-r", .splits_digits = true, .normalizes_nfc = true},
    {.name = "llama-bpe", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "llama3", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "llama-v3", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "falcon3", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "falcon-h1", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "pixtral", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "midm-2.0", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "lfm2", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "jina-v5-nano", .split_regexes = {kLlama3Regex}, .ignores_merges = true, .adds_bos = true},
    {.name = "smaug-bpe", .split_regexes = {kLlama3Regex}},
    {.name = "dbrx", .split_regexes = {kLlama3Regex}},
    {.name = "glm4", .split_regexes = {kLlama3Regex}},
    {.name = "chatglm-bpe", .split_regexes = {kLlama3Regex}},
    {.name = "qwen2", .split_regexes = {kQwen2Regex}, .normalizes_nfc = true},
    {.name = "deepseek-r1-qwen", .split_regexes = {kQwen2Regex}, .normalizes_nfc = true},
    {.name = "megrez", .split_regexes = {kQwen2Regex}, .normalizes_nfc = true},
    {.name = "kormo", .split_regexes = {kQwen2Regex}, .normalizes_nfc = true},
    {.name = "f2llmv2", .split_regexes = {kQwen2Regex}, .normalizes_nfc = true},
    {.name = "stablelm2", .split_regexes = {kQwen2Regex}},
    {.name = "hunyuan", .split_regexes = {kQwen2Regex}},
    {.name = "solar-open", .split_regexes = {kQwen2Regex}},
    {.name = "grok-2", .split_regexes = {kQwen2Regex}},
    {.name = "qwen35", .split_regexes = {kQwen35Regex}, .normalizes_nfc = true},
    {.name = "tekken", .split_regexes = {kTekkenRegex}, .ignores_merges = true, .adds_bos = true},
    {.name = "gpt-4o", .split_regexes = {kGpt4oRegex}},
    {.name = "llama4", .split_regexes = {kGpt4oRegex}},
    {.name = "kanana2", .split_regexes = {kGpt4oRegex}},
    {.name = "talkie", .split_regexes = {kGpt4oRegex}},
    {.name = "minimax-m2", .split_regexes = {kGpt4oRegex}},
    {.name = "seed-coder", .split_regexes = {kSeedCoderRegex}},
    {.name = "deepseek-coder", .split_regexes = {kLineEnds, kLetters, kPunctuation, kHanAndHangul, kDigit}},
    {.name = "deepseek-v3", .split_regexes = {kThreeDigits, kHanAndKana, kDeepSeek3Regex}},
    {.name = "hunyuan-dense", .split_regexes = {kThreeDigits, kHanAndKana, kDeepSeek3Regex}},
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
  return absl::InvalidArgumentError(absl::StrCat("tokenizer.ggml.pre: unknown pre-tokenizer \"", name, "\" (",
                                                 std::size(kPreTokenizers),
                                                 " are known, gpt-2, llama-bpe and qwen2 among them). Use the model's "
                                                 "Hugging Face folder with its tokenizer.json"));
}

json PreTokenizerJson(const GgufPreTokenizer& pre_tokenizer) {
  json steps = json::array();
  if (pre_tokenizer.splits_digits) steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  for (const absl::string_view regex : pre_tokenizer.split_regexes) {
    if (regex.empty()) break;
    steps.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", std::string(regex)}}}, {"behavior", "Isolated"}, {"invert", false}});
  }
  steps.push_back(ByteLevelJson(pre_tokenizer.split_regexes[0].empty()));
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

}  // namespace tersor
