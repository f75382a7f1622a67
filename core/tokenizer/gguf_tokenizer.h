// A tokenizer.json rebuilt from the tokenizer metadata of a GGUF file.
#ifndef TERSOR_CORE_TOKENIZER_GGUF_TOKENIZER_H_
#define TERSOR_CORE_TOKENIZER_GGUF_TOKENIZER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// The values of the keys tokenizer.ggml.*, as the file gives them; what a key does not say keeps its default here.
struct GgufTokenizerMetadata {
  std::string model;                     // .model: "gpt2" (byte-level BPE) or "llama" (SentencePiece BPE)
  std::string pre;                       // .pre: the pre-tokenizer's name, such as "smollm"; empty is "default"
  std::vector<std::string> tokens;       // .tokens: the id is the index
  std::vector<float> scores;             // .scores: as many as tokens; needed by "llama" without merges
  std::vector<int32_t> token_types;      // .token_type: as many as tokens, or none: see GgufTokenType
  std::vector<std::string> merges;       // .merges: "left right", best first; needed by "gpt2"
  int64_t bos_id = -1;                   // .bos_token_id
  int64_t eos_id = -1;                   // .eos_token_id
  int64_t unknown_id = -1;               // .unknown_token_id
  int64_t padding_id = -1;               // .padding_token_id
  std::optional<bool> add_bos;           // .add_bos_token
  std::optional<bool> add_eos;           // .add_eos_token
  std::optional<bool> add_space_prefix;  // .add_space_prefix; "llama" adds one when the key is missing
  bool is_phi3 = false;                  // IsGgufPhi3Name(general.name)
};

// The values of tokenizer.ggml.token_type.
enum GgufTokenType : int32_t {
  kGgufTokenUndefined = 0,
  kGgufTokenNormal = 1,
  kGgufTokenUnknown = 2,
  kGgufTokenControl = 3,
  kGgufTokenUserDefined = 4,
  kGgufTokenUnused = 5,
  kGgufTokenByte = 6,
};

// The text of a tokenizer.json that Tokenizer::FromJson reads and that encodes as the model's own tokenizer does.
// INVALID_ARGUMENT says which key is missing or wrong; an unknown model or pre-tokenizer is named beside the known
// ones.
absl::StatusOr<std::string> TokenizerJsonFromGguf(const GgufTokenizerMetadata& metadata);

// Whether llama.cpp takes a model for Phi-3 by its general.name: GGUF cannot say that spaces after a special token
// belong to it, so it lets them do so in such models, but after those that Phi-3 has otherwise. It loads no such model
// that lacks one of `kGgufPhi3Tokens`.
bool IsGgufPhi3Name(absl::string_view name);
inline constexpr absl::string_view kGgufPhi3Tokens[] = {"</s>", "<unk>", "<s>", "<|endoftext|>"};

// Whether the model's own tokenizer puts BOS before a text: add_bos, and where the file doesn't say, what is usual for
// the model ("llama" does) or its pre-tokenizer. False where there is no BOS.
bool GgufTokenizerAddsBos(const GgufTokenizerMetadata& metadata);

}  // namespace tersor

#endif  // TERSOR_CORE_TOKENIZER_GGUF_TOKENIZER_H_
