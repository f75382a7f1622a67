// Greedy continuations of many prompts, decoded together.
#ifndef TERSOR_CORE_EVALUATE_BATCH_GENERATOR_H_
#define TERSOR_CORE_EVALUATE_BATCH_GENERATOR_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/evaluate/evaluate_context.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor {

enum class GenerationEnd { kMaxTokens, kEndToken, kStopString };

struct GeneratedText {
  // What came after the prompt, an end token included.
  std::vector<int32_t> ids;
  // `ids` without special tokens, up to the first stop string (which is not part of it).
  std::string text;
  GenerationEnd end = GenerationEnd::kMaxTokens;
  // Tokens of the prompt that were left out on its left, so that max_tokens fit after it.
  int64_t dropped = 0;
};

struct BatchGenerateOptions {
  ComputeOptions compute = {};
  int max_tokens = 256;
  // A continuation ends with one of these ids; the model's own where empty.
  std::vector<int64_t> end_ids = {};
  // A continuation ends where its text contains one of these.
  std::vector<std::string> stops = {};
  // Prompts decoded at a time. Results do not depend on it.
  int64_t batch = 32;
  // Bytes of keys and values at most, as long as one prompt fits. Results do not depend on it.
  int64_t cache_bytes = int64_t{512} << 20;
  // May be null. Told (index of the prompt, its continuation) as they end, from the calling thread; an error ends the
  // generation with it.
  std::function<absl::Status(int64_t, const GeneratedText&)> on_text = nullptr;
};

// Continuations in the order of `prompts` (token ids, none empty). What prompts have in common at their start is
// computed once. Bits depend on the prompt, the model and the limits alone, not on batch, order or threads.
// INVALID_ARGUMENT for an empty prompt, or a max_tokens that leaves the model's context no room for a prompt. Progress
// counts prompts.
absl::StatusOr<std::vector<GeneratedText>> GenerateAll(const Model& model, const Tokenizer& tokenizer,
                                                       std::span<const std::vector<int32_t>> prompts,
                                                       const BatchGenerateOptions& options,
                                                       const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_BATCH_GENERATOR_H_
