#include "core/exports/compressed_tensors_pack.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/exports/compressed_tensors_form.h"
#include "core/exports/integer_codes.h"
#include "core/formats/word_runs.h"

namespace tersor {
namespace {

// Tensors of one layer under its name.
class Parts {
 public:
  explicit Parts(absl::string_view module) : module_(module) {}

  absl::Status Add(absl::string_view suffix, absl::StatusOr<Tensor> tensor) {
    if (!tensor.ok()) return tensor.status();
    tensors_.push_back({absl::StrCat(module_, suffix), *std::move(tensor)});
    return absl::OkStatus();
  }
  std::vector<NamedTensor> Take() { return std::move(tensors_); }

 private:
  std::string module_;
  std::vector<NamedTensor> tensors_;
};

using PartsOr = absl::StatusOr<std::vector<NamedTensor>>;

// The same bytes under another type.
absl::StatusOr<Tensor> Renamed(const Tensor& tensor, DType dtype) {
  return Tensor::Own(dtype, tensor.shape(), std::vector<std::byte>(tensor.bytes().begin(), tensor.bytes().end()));
}

std::vector<int8_t> Signed(const std::vector<uint8_t>& values, int bits) {
  std::vector<int8_t> moved;
  moved.reserve(values.size());
  for (const uint8_t value : values) moved.push_back(static_cast<int8_t>(value - (1 << (bits - 1))));
  return moved;
}

PartsOr PackWords(absl::string_view module, const GroupIntTensor& weight) {
  const int bits = PackedBits(weight.bits());
  IntegerCodes taken = TakeIntegerCodes(weight, bits);
  const int64_t rows = weight.rows(), columns = weight.columns(), groups = weight.groups();
  Parts parts(module);
  TERSOR_RETURN_IF_ERROR(
      parts.Add(".weight_packed", PackIntoRows(taken.codes, rows, columns, bits, WordPacking::kDense)));
  TERSOR_RETURN_IF_ERROR(parts.Add(".weight_scale", Tensor::Own(DType::kF16, {rows, groups}, std::move(taken.scales))));
  TERSOR_RETURN_IF_ERROR(
      parts.Add(".weight_shape", Tensor::Own(DType::kI64, {2}, std::vector<int64_t>{rows, columns})));
  if (weight.symmetric()) return parts.Take();
  TERSOR_RETURN_IF_ERROR(parts.Add(".weight_zero_point", PackIntoColumns(Transposed(taken.zero_points, rows, groups),
                                                                         groups, rows, bits, WordPacking::kDense)));
  return parts.Take();
}

PartsOr PackBytes(absl::string_view module, const GroupIntTensor& weight) {
  IntegerCodes taken = TakeIntegerCodes(weight, weight.bits());
  const int64_t rows = weight.rows(), groups = weight.groups();
  Parts parts(module);
  TERSOR_RETURN_IF_ERROR(
      parts.Add(".weight", Tensor::Own(DType::kI8, weight.shape(), Signed(taken.codes, weight.bits()))));
  TERSOR_RETURN_IF_ERROR(parts.Add(".weight_scale", Tensor::Own(DType::kF16, {rows, groups}, std::move(taken.scales))));
  if (weight.symmetric()) return parts.Take();
  TERSOR_RETURN_IF_ERROR(parts.Add(".weight_zero_point",
                                   Tensor::Own(DType::kI8, {rows, groups}, Signed(taken.zero_points, weight.bits()))));
  return parts.Take();
}

PartsOr PackFloats(absl::string_view module, absl::string_view format, const CodebookTensor& weight) {
  const GroupScales& scales = weight.scales();
  const bool bytes = !absl::StrContains(format, "fp4");
  Parts parts(module);
  TERSOR_RETURN_IF_ERROR(
      parts.Add(bytes ? ".weight" : ".weight_packed", Renamed(weight.codes(), bytes ? DType::kF8E4M3 : DType::kU8)));
  if (format == "float-quantized") {
    TERSOR_RETURN_IF_ERROR(
        parts.Add(".weight_scale", Tensor::Own(DType::kF32, {weight.rows(), weight.groups()}, scales.values())));
    return parts.Take();
  }
  const bool nvfp4 = format == "nvfp4-pack-quantized";
  TERSOR_RETURN_IF_ERROR(
      parts.Add(".weight_scale", Renamed(scales.fields()[0].tensor, nvfp4 ? DType::kF8E4M3 : DType::kU8)));
  if (nvfp4) TERSOR_RETURN_IF_ERROR(parts.Add(".weight_global_scale", scales.fields()[1].tensor));
  return parts.Take();
}

}  // namespace

std::vector<TensorDeclaration> CompressedTensorsDeclarations(absl::string_view module, absl::string_view format,
                                                             const Shape& shape, const StoredForm& form) {
  const auto name = [&](absl::string_view suffix) { return absl::StrCat(module, suffix); };
  const Shape scales = {shape[0], shape[1] / form.group_size};
  if (format == "pack-quantized") {
    const int bits = PackedBits(form.bits);
    std::vector<TensorDeclaration> tensors = {
        {name(".weight_packed"), DType::kI32, {shape[0], WordsOf(shape[1], bits, WordPacking::kDense)}},
        {name(".weight_scale"), DType::kF16, scales},
        {name(".weight_shape"), DType::kI64, {2}}};
    if (form.symmetric) return tensors;
    tensors.push_back(
        {name(".weight_zero_point"), DType::kI32, {WordsOf(shape[0], bits, WordPacking::kDense), scales[1]}});
    return tensors;
  }
  if (format == "int-quantized") {
    std::vector<TensorDeclaration> tensors = {{name(".weight"), DType::kI8, shape},
                                              {name(".weight_scale"), DType::kF16, scales}};
    if (!form.symmetric) tensors.push_back({name(".weight_zero_point"), DType::kI8, scales});
    return tensors;
  }
  if (format == "float-quantized" || format == "mxfp8-quantized") {
    return {{name(".weight"), DType::kF8E4M3, shape},
            {name(".weight_scale"), format == "float-quantized" ? DType::kF32 : DType::kU8, scales}};
  }
  const bool nvfp4 = format == "nvfp4-pack-quantized";
  std::vector<TensorDeclaration> tensors = {{name(".weight_packed"), DType::kU8, {shape[0], shape[1] / 2}},
                                            {name(".weight_scale"), nvfp4 ? DType::kF8E4M3 : DType::kU8, scales}};
  if (nvfp4) tensors.push_back({name(".weight_global_scale"), DType::kF32, {1}});
  return tensors;
}

absl::StatusOr<std::vector<NamedTensor>> PackCompressedTensors(absl::string_view module, absl::string_view format,
                                                               const StoredForm& form, const EncodedTensor& weight) {
  const auto* integers = dynamic_cast<const GroupIntTensor*>(&weight);
  if (format == "pack-quantized" && integers != nullptr) return PackWords(module, *integers);
  if (format == "int-quantized" && integers != nullptr) return PackBytes(module, *integers);
  const auto* floats = dynamic_cast<const CodebookTensor*>(&weight);
  if (integers == nullptr && floats != nullptr) return PackFloats(module, format, *floats);
  return absl::InternalError(absl::StrCat(module, " is ", weight.encoding(), ", planned was ", form.encoding));
}

}  // namespace tersor
