// The one place that decides what a model's special tokens are and what stands around a text.
#ifndef TERSOR_CORE_MODEL_SPECIAL_TOKENS_H_
#define TERSOR_CORE_MODEL_SPECIAL_TOKENS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/model/model.h"
#include "core/tokenizer/text_frame.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor {

// -1 and "" where there is none.
struct SpecialToken {
  int64_t id = -1;
  std::string text;
};

struct SpecialTokens {
  SpecialToken bos;
  SpecialToken eos;
  SpecialToken pad;
  SpecialToken unk;
  // What the tokenizer puts around a text by itself.
  TextFrame frame;
  // Ids that end a generation: the tokenizer's EOS first, then those of config.json and generation_config.json.
  std::vector<int64_t> ends;

  // BOS, else EOS, as lm-evaluation-harness begins a text that has no context.
  const SpecialToken& prefix() const { return bos.id >= 0 ? bos : eos; }
  // Whether a text begins with BOS by itself.
  bool adds_bos() const { return bos.id >= 0 && !frame.before.empty() && frame.before.front() == bos.id; }
};

// Tokens are what tokenizer_config.json calls them (null is none, too); config.json's ids count only where it does not
// name them, or names one that the tokenizer lacks. The frame is what the post-processor of tokenizer.json adds; where
// it adds nothing, what add_bos_token and add_eos_token of tokenizer_config.json (a GGUF file's) ask for. Without a
// tokenizer config.json's ids alone. INVALID_ARGUMENT where tokenizer_config.json is no JSON object.
absl::StatusOr<SpecialTokens> SpecialTokensOf(const ModelSpec& spec, const ModelAssets& assets,
                                              const Tokenizer* tokenizer);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_SPECIAL_TOKENS_H_
