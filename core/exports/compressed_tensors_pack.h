// The tensors of a layer in compressed-tensors' formats.
#ifndef TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_PACK_H_
#define TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_PACK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/exports/module_packing.h"
#include "core/formats/safetensors.h"

namespace tersor {

// Names, types and shapes of what PackCompressedTensors gives for `format` (compressed_tensors_form.h):
//   pack-quantized        .weight_packed I32 [rows, words], .weight_scale F16 [rows, groups], .weight_shape I64 [2]
//   and,
//                         with offsets, .weight_zero_point I32 [ceil(rows * bits / 32), groups]
//   int-quantized         .weight I8, .weight_scale F16 [rows, groups], with offsets .weight_zero_point I8
//   float-quantized       .weight F8_E4M3, .weight_scale F32 [rows, groups]
//   mxfp8-quantized       .weight F8_E4M3, .weight_scale U8 [rows, groups]
//   mxfp4-pack-quantized  .weight_packed U8 [rows, columns / 2], .weight_scale U8 [rows, groups]
//   nvfp4-pack-quantized  the same with .weight_scale F8_E4M3, and .weight_global_scale F32 [1]
std::vector<TensorDeclaration> CompressedTensorsDeclarations(absl::string_view module, absl::string_view format,
                                                             const Shape& shape, const StoredForm& form);

// `weight` is of the form that was declared; else INTERNAL.
absl::StatusOr<std::vector<NamedTensor>> PackCompressedTensors(absl::string_view module, absl::string_view format,
                                                               const StoredForm& form, const EncodedTensor& weight);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_PACK_H_
