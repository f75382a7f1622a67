// The scales of a matrix's groups in one of the forms that published formats store them in.
#ifndef TERSOR_CORE_ENCODING_GROUP_SCALES_H_
#define TERSOR_CORE_ENCODING_GROUP_SCALES_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

enum class ScaleForm {
  // "f32": "scales" F32 [rows, groups].
  kF32,
  // "f16": "scales" F16 [rows, groups].
  kF16,
  // "e8m0": powers of two, "scales" U8 [rows, groups], 2^(code - 127) (OCP MX).
  kE8m0,
  // "e4m3": "scales" U8 [rows, groups], times "tensor_scale" F32 [1].
  kE4m3,
  // "row-shift": "row_scales" F32 [rows] times 2^-shift, "shifts" U8 [rows, groups] (ZeroQuant-FP, arXiv 2307.09782,
  // section 4.1, M2: powers of two within a compute group, which is a row).
  kRowShift,
  // "double": "scales" U8 [rows, groups], codes of bitsandbytes' dynamic map, times "block_scales" F32 [blocks of 256
  // scales], plus "offset" F32 [1] (QLoRA, arXiv 2305.14314, section 3, double quantization).
  kDouble,
  // "e4m3-over": "scales" U8 [rows, groups], over "divisor" F32 [1]: NVFP4 as compressed-tensors stores it.
  kE4m3Over,
};
absl::string_view ScaleFormName(ScaleForm form);
absl::StatusOr<ScaleForm> ScaleFormFromName(absl::string_view name);

// Immutable and thread-safe; cheap to copy.
class GroupScales {
 public:
  // The nearest scales that the form has; powers of two are rounded up, so that no value leaves the codes' range.
  // `wanted` [rows, groups] is finite and not negative. INVALID_ARGUMENT where a scale is beyond the form's range.
  static absl::StatusOr<GroupScales> Encode(ScaleForm form, int64_t rows, int64_t groups,
                                            const std::vector<float>& wanted);
  // Takes its fields out of `fields`, and checks types, shapes and that every scale is finite.
  static absl::StatusOr<GroupScales> FromFields(ScaleForm form, int64_t rows, int64_t groups,
                                                const std::vector<EncodedField>& fields);
  static std::vector<absl::string_view> FieldNames(ScaleForm form);
  // Bytes of all fields.
  static uint64_t ByteSize(ScaleForm form, int64_t rows, int64_t groups);

  ScaleForm form() const { return form_; }
  int64_t groups() const { return groups_; }
  // As floats, [rows, groups].
  const std::vector<float>& values() const { return *values_; }
  float At(int64_t row, int64_t group) const { return (*values_)[row * groups_ + group]; }
  const std::vector<EncodedField>& fields() const { return fields_; }

 private:
  GroupScales(ScaleForm form, int64_t groups, std::vector<EncodedField> fields, std::vector<float> values)
      : form_(form),
        groups_(groups),
        fields_(std::move(fields)),
        values_(std::make_shared<const std::vector<float>>(std::move(values))) {}

  ScaleForm form_;
  int64_t groups_;
  std::vector<EncodedField> fields_;
  std::shared_ptr<const std::vector<float>> values_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_GROUP_SCALES_H_
