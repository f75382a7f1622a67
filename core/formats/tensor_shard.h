// Named tensors in their encodings as one safetensors file: a tensor "PARAMETER/FIELD" for each field.
#ifndef TERSOR_CORE_FORMATS_TENSOR_SHARD_H_
#define TERSOR_CORE_FORMATS_TENSOR_SHARD_H_

#include <filesystem>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/formats/safetensors.h"
#include "nlohmann/json.hpp"

namespace tersor {

using EncodedTensors = std::map<std::string, EncodedTensorPtr, std::less<>>;

// A shard describes itself: the table of its tensors and `extra`, whatever the caller wants to find again, stand in its
// metadata.
struct TensorShard {
  // They view the mapped file.
  EncodedTensors tensors;
  nlohmann::json extra;
};

// Durable under `path` when it returns, or not there at all. The same tensors and extra give the same bytes.
absl::Status WriteTensorShard(const std::filesystem::path& path, const EncodedTensors& tensors,
                              const nlohmann::json& extra);
// INVALID_ARGUMENT names the file and tensor that lies; UNIMPLEMENTED for a shard of a newer version.
absl::StatusOr<TensorShard> ReadTensorShard(const std::filesystem::path& path);

// The parts that a container with its own manifest needs.

// {"PARAMETER": {"encoding": ..., "shape": [...], "parameters": {...}, "fields": [...]}}.
nlohmann::json DescribeTensors(const EncodedTensors& tensors);
absl::Status WriteEncodedTensors(const std::filesystem::path& path, const EncodedTensors& tensors,
                                 const std::map<std::string, std::string>& metadata);
// Every tensor of `file` must belong to a parameter of `description`, and every field must be there.
absl::StatusOr<EncodedTensors> RebuildTensors(const Safetensors& file, const nlohmann::json& description,
                                              absl::string_view where);
// OK where both hold the same parameters with equal encodings, shapes and bytes; DATA_LOSS names the first difference.
absl::Status CompareEncodedTensors(const EncodedTensors& expected, const EncodedTensors& found);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_TENSOR_SHARD_H_
