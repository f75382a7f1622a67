// A GGUF file's metadata, read into a ModelSpec.
#ifndef TERSOR_CORE_MODEL_GGUF_SPEC_H_
#define TERSOR_CORE_MODEL_GGUF_SPEC_H_

#include <vector>

#include "core/base/status.h"
#include "core/formats/gguf_reader.h"
#include "core/model/model_spec.h"

namespace tersor {

// Which biases there are, and whether the head is tied, the tensors say. Llama 3's rope scaling is found again from the
// frequency factors that the converter bakes into rope_freqs.weight. INVALID_ARGUMENT names the key or tensor that
// lies; UNIMPLEMENTED what Tersor does not know. Messages do not name the file.
absl::StatusOr<ModelSpec> SpecFromGguf(const GgufFile& file);

// The tensor of frequency factors, which is no parameter.
inline constexpr absl::string_view kGgufRopeFactorsName = "rope_freqs.weight";

// The parameters of Llama 3's scaling that make `factors` (what the frequencies of `plain` are divided by, one for each
// pair of a head). UNIMPLEMENTED where there are none with the published low and high factors, 1 and 4.
absl::StatusOr<Llama3RopeScaling> RecognizeLlama3(const std::vector<float>& factors, const RopeSpec& plain);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_GGUF_SPEC_H_
