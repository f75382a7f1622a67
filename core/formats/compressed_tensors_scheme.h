// compressed-tensors' "quantization_config": which module's weight is quantized how.
// https://github.com/vllm-project/compressed-tensors
#ifndef TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_SCHEME_H_
#define TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_SCHEME_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "nlohmann/json.hpp"

namespace tersor {

struct WeightScheme {
  bool is_float = false;
  int bits = 4;
  bool symmetric = true;
  // "tensor", "channel", "group", "tensor_group" (groups under one factor of the tensor) or "block".
  std::string strategy;
  int64_t group_size = 0;
  // Rows and columns of strategy "block".
  int64_t block_rows = 0;
  int64_t block_columns = 0;
  // "pack-quantized", "int-quantized", ...: the group's own, else the configuration's.
  std::string format;
  // What is done to the layer's inputs at run time: "8-bit int per token, dynamic"; empty for nothing.
  std::string inputs;
  // The configuration's own words for it; null where the inputs stay as they are.
  nlohmann::json input_activations;
};

struct CompressedTensorsScheme {
  std::string format;
  // Target (a module's name, "re:" and a regular expression, or a class name) and scheme, in the file's order.
  std::vector<std::pair<std::string, WeightScheme>> targets;
  std::vector<std::string> ignore;
  // What else the configuration asks of a runtime, as sentences.
  std::vector<std::string> notes;
};

// INVALID_ARGUMENT names the key that is wrong or unknown to the format; UNIMPLEMENTED names what is not read.
absl::StatusOr<CompressedTensorsScheme> ParseCompressedTensorsScheme(const nlohmann::json& config);

// A target that is the module's name comes before a regular expression, that before a class name.
// INVALID_ARGUMENT where no target names the module.
absl::StatusOr<WeightScheme> SchemeOf(const CompressedTensorsScheme& scheme, absl::string_view module);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_SCHEME_H_
