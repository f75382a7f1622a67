// Small random models of every architecture that GGUF has, made in memory.
#ifndef TERSOR_TESTS_CORE_MODEL_ARCHITECTURE_MODELS_H_
#define TERSOR_TESTS_CORE_MODEL_ARCHITECTURE_MODELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/model/model.h"

namespace tersor {

// "gpt2", "gpt_neox", "gpt_neox_serial", "phi3", "phi3_longrope", "gemma2", "gemma3", "gemma3_period", ...
std::vector<std::string> ArchitectureModelNames();

// Random weights that depend on `seed` alone; Gemma's and Phi-3's have a SentencePiece tokenizer that adds BOS, the
// others a byte-level one.
Model ArchitectureModel(absl::string_view name, uint64_t seed);

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_MODEL_ARCHITECTURE_MODELS_H_
