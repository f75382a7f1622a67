// The metadata of a GGUF file, from a model's spec and tokenizer.
#ifndef TERSOR_CORE_EXPORTS_GGUF_METADATA_H_
#define TERSOR_CORE_EXPORTS_GGUF_METADATA_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/exports/export_format.h"
#include "core/formats/gguf_writer.h"
#include "core/model/model.h"
#include "core/model/model_spec.h"

namespace tersor {

// general.*, the architecture's keys and tokenizer.*. UNIMPLEMENTED names what GGUF or llama.cpp cannot say.
absl::StatusOr<GgufMetadataBuilder> BuildGgufMetadata(GgufChoice choice, const ModelSpec& spec,
                                                      const ModelAssets& assets);

// A tensor of rope's frequency factors, which is no parameter.
struct GgufFactors {
  absl::string_view name;
  std::vector<float> values;
};

// Those that the model's rope scaling (Llama 3's, Phi-3's) needs.
std::vector<GgufFactors> GgufFactorTensors(const ModelSpec& spec);

// llama.cpp computes full attention for all but Gemma's windows: within the window that is the same.
int64_t GgufContextLength(const ModelSpec& spec);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_GGUF_METADATA_H_
