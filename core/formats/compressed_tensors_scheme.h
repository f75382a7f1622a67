// compressed-tensors' "quantization_config": which module's weight is quantized how.
// https://github.com/vllm-project/compressed-tensors
#ifndef TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_SCHEME_H_
#define TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_SCHEME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/text/python_regex.h"
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

// A module's name, "re:" and a regular expression of Python's, or the name of a class of modules.
struct SchemeTarget {
  std::string text;
  // Of "re:" targets.
  std::optional<PythonRegex> expression;
  WeightScheme weights;
};

struct CompressedTensorsScheme {
  std::string format;
  // In the file's order.
  std::vector<SchemeTarget> targets;
  std::vector<std::string> ignore;
  // What else the configuration asks of a runtime, as sentences.
  std::vector<std::string> notes;
};

// INVALID_ARGUMENT names the key that is wrong or unknown to the format; UNIMPLEMENTED names what is not read.
absl::StatusOr<CompressedTensorsScheme> ParseCompressedTensorsScheme(const nlohmann::json& config);

// The schemes of all targets that fit the module, the one that counts first: a target that is the module's name comes
// before a regular expression (re.match, anchored at the beginning alone), that before the name of the module's class
// or of one that it derives from; among equals the file's order. Releases and runtimes order overlapping expressions in
// ways of their own, so the tensors have the last word: the first scheme counts that they fit. INVALID_ARGUMENT where
// no target fits; RESOURCE_EXHAUSTED where an expression backtracks beyond reason.
absl::StatusOr<std::vector<WeightScheme>> SchemesOf(const CompressedTensorsScheme& scheme, absl::string_view module);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_SCHEME_H_
