// A GGUF file's metadata, read into a ModelSpec.
#ifndef TERSOR_CORE_MODEL_GGUF_SPEC_H_
#define TERSOR_CORE_MODEL_GGUF_SPEC_H_

#include <vector>

#include "core/base/status.h"
#include "core/formats/gguf_reader.h"
#include "core/model/model_spec.h"

namespace tersor {

// Which biases there are, and whether the head is tied, the tensors say. Activations are the architecture's (GPT-NeoX's
// the exact GELU, where llama.cpp computes its tanh form). Llama 3's rope scaling is found again from the
// frequency factors that the converter bakes into rope_freqs.weight. INVALID_ARGUMENT names the key or tensor that
// lies; UNIMPLEMENTED what Tersor does not know. Messages do not name the file.
absl::StatusOr<ModelSpec> SpecFromGguf(const GgufFile& file);

// The tensors of frequency factors, which are no parameters: Llama 3's, and Phi-3's two lists.
inline constexpr absl::string_view kGgufRopeFactorsName = "rope_freqs.weight";
inline constexpr absl::string_view kGgufShortFactorsName = "rope_factors_short.weight";
inline constexpr absl::string_view kGgufLongFactorsName = "rope_factors_long.weight";

// The key of the norms' epsilon, without the architecture's prefix.
absl::string_view GgufEpsilonKey(NormKind norm);

// What llama.cpp multiplies Gemma's scores by, which the file does not say: by the size of a head, in the largest
// models of each generation by width / heads.
double GgufGemmaScoreScale(const ModelSpec& spec, int heads, int head_size, size_t layers);

// The parameters of Llama 3's scaling that make `factors` (what the frequencies of `plain` are divided by, one for each
// pair of a head). UNIMPLEMENTED where there are none with the published low and high factors, 1 and 4.
absl::StatusOr<Llama3RopeScaling> RecognizeLlama3(const std::vector<float>& factors, const RopeSpec& plain);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_GGUF_SPEC_H_
