// What compressed-tensors calls a layer's form: the format of its tensors and the arguments of its weights and inputs.
// https://github.com/vllm-project/compressed-tensors
#ifndef TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_FORM_H_
#define TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_FORM_H_

#include <cstdint>
#include <string>

#include "core/base/status.h"
#include "core/exports/export_subject.h"
#include "nlohmann/json.hpp"

namespace tersor {

struct CompressedTensorsForm {
  // "pack-quantized": integers of 4 or 8 bits in words. "int-quantized": integers of 2 to 8 bits, a byte each.
  // "float-quantized": E4M3 with float scales; "mxfp8-quantized": with powers of two. "nvfp4-pack-quantized" and
  // "mxfp4-pack-quantized": E2M1, two a byte.
  std::string format;
  // QuantizationArgs of the weights.
  nlohmann::json weights;
  // Of the inputs; null where they stay in float.
  nlohmann::json inputs;
};

// `columns` of the layer; `channels`: one scale a row is the strategy "channel", else a group of that size.
// INVALID_ARGUMENT says which part of the form has no words there.
absl::StatusOr<CompressedTensorsForm> CompressedTensorsFormOf(const StoredForm& form, int64_t columns, bool channels);

// Arguments of the inputs alone; null where they stay in float.
absl::StatusOr<nlohmann::json> CompressedTensorsInputs(const StoredForm& form);

// Bits of an integer code where it is packed: fewer than 4 stand in the middle of 4 bits, 5 to 7 in the middle of 8,
// which every release packs alike (docs/formats.md).
int PackedBits(int bits);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_FORM_H_
