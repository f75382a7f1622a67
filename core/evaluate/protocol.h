// How a perplexity is measured: two values may be compared only when their protocols' hashes are equal.
#ifndef TERSOR_CORE_EVALUATE_PROTOCOL_H_
#define TERSOR_CORE_EVALUATE_PROTOCOL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

enum class PerplexityConvention {
  // Windows of the tokenized text, the trailing part dropped; the first token of each window is not scored, and of
  // windows that overlap (stride < window) only the new tokens are.
  kWindows,
  // llama-perplexity: chunks whose second half is scored. Where the model's metadata asks for BOS, it stands before the
  // text and in place of each chunk's first token.
  kLlamaCpp,
  // lm-evaluation-harness's rolling windows: every token is scored once, each window after the last token of the one
  // before (the first after BOS), and the sum is divided by the words of the raw text.
  kWords,
};

// A resolved v1::PerplexityEvaluation.
struct Protocol {
  PerplexityConvention convention = PerplexityConvention::kWindows;
  // As the recipe names it.
  std::string dataset = {};
  int64_t window = 2048;
  int64_t stride = 2048;
  // 0 is all.
  int64_t max_windows = 0;
  // The token put before (or, for llama.cpp, in place of the first token of) windows; -1 is none.
  int64_t bos_id = -1;
  std::string tokenizer_sha256 = {};
  std::string text_sha256 = {};

  // "windows of 2048 tokens, the first 8, no BOS".
  std::string Words() const;
  // SHA-256 over all of the above but the data set's name.
  std::string Hash() const;
};

// What a protocol needs to know of a model.
struct ProtocolModel {
  // -1 where there is none.
  int64_t bos_id = -1;
  int64_t eos_id = -1;
  // Whether the tokenizer puts BOS before a text.
  bool add_bos = false;
  // 0 where unknown.
  int64_t context_length = 0;
};

// Of the tokenizer's special tokens (core/model/special_tokens.h); `tokenizer` may be null.
absl::StatusOr<ProtocolModel> DescribeForProtocol(const Model& model, const Tokenizer* tokenizer);

// Every fault of the message that can be seen without the text; `field` is its path ("evaluate.perplexity[0]").
std::vector<FieldViolation> CheckProtocol(const v1::PerplexityEvaluation& evaluation, const ProtocolModel& model,
                                          absl::string_view field);

// INVALID_ARGUMENT where CheckProtocol finds a fault.
absl::StatusOr<Protocol> ResolveProtocol(const v1::PerplexityEvaluation& evaluation, const ProtocolModel& model,
                                         absl::string_view tokenizer_sha256, absl::string_view text);

// "windows", "llama.cpp", "words".
absl::string_view ConventionName(PerplexityConvention convention);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_PROTOCOL_H_
