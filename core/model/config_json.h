// A Hugging Face config.json, read into a ModelSpec and written from one.
#ifndef TERSOR_CORE_MODEL_CONFIG_JSON_H_
#define TERSOR_CORE_MODEL_CONFIG_JSON_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/model/model_spec.h"

namespace tersor {

// Reads both spellings: `rope_parameters` (transformers 5) and `rope_theta` with `rope_scaling`. INVALID_ARGUMENT names
// the key that is missing, of the wrong type or out of range; UNIMPLEMENTED names the architecture, rope type,
// activation or quantization that Tersor does not know. `where` (the file) begins every message. The name stays empty.
absl::StatusOr<ModelSpec> SpecFromConfigJson(absl::string_view text, absl::string_view where);

// The text of a config.json in both spellings: transformers 5's `dtype` and `rope_parameters` beside `torch_dtype`,
// `rope_theta` and `rope_scaling`, and a `head_dim` always. `dtype` is torch's name of the weights' type: "float32",
// "float16", "bfloat16". UNIMPLEMENTED where layers differ in a way that the file cannot say.
absl::StatusOr<std::string> ConfigJson(const ModelSpec& spec, absl::string_view dtype);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_CONFIG_JSON_H_
