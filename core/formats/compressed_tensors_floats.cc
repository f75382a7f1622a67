#include "core/formats/compressed_tensors_floats.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/float8_tensor.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// Bytes that hold codes under another type.
absl::StatusOr<Tensor> AsCodes(const Tensor& tensor, Shape shape) {
  return Tensor::Own(DType::kU8, std::move(shape),
                     std::vector<std::byte>(tensor.bytes().begin(), tensor.bytes().end()));
}

absl::StatusOr<EncodedTensorPtr> MakeCodebook(const CodeBook& book, ScaleForm form, const Shape& shape, int64_t groups,
                                              const Tensor& codes, std::vector<EncodedField> fields) {
  TERSOR_ASSIGN_OR_RETURN(Tensor stored, AsCodes(codes, codes.shape()));
  fields.push_back({"codes", std::move(stored)});
  return CodebookTensor::FromFields(shape, fields,
                                    {{"book", std::string(book.name())},
                                     {"group_size", shape[1] / groups},
                                     {"scales", std::string(ScaleFormName(form))}});
}

}  // namespace

absl::StatusOr<int64_t> GroupsOf(const WeightScheme& scheme, int64_t columns, bool indexed) {
  if (scheme.strategy != "group" && scheme.strategy != "tensor_group") return 1;
  if (columns % scheme.group_size == 0) return columns / scheme.group_size;
  if (indexed) return (columns + scheme.group_size - 1) / scheme.group_size;
  return absl::InvalidArgumentError(
      absl::StrCat("groups of ", scheme.group_size, " do not divide ", columns, " columns"));
}

absl::StatusOr<EncodedTensorPtr> ReadFloat8Weight(const WeightScheme& scheme, const Tensor& weight, Tensor scales) {
  const int64_t rows = weight.shape()[0], columns = weight.shape()[1];
  if (!scheme.is_float) return absl::InvalidArgumentError("the configuration says integers, the weight is 8-bit float");
  if (scheme.strategy == "block") {
    return Float8Tensor::Create(weight, std::move(scales), scheme.block_rows, scheme.block_columns);
  }
  if (scheme.strategy == "tensor") {
    if (scales.elements() != 1) return absl::InvalidArgumentError("strategy \"tensor\" with several scales");
    TERSOR_ASSIGN_OR_RETURN(scales, Tensor::Own(scales.dtype(), {1, 1},
                                                std::vector<std::byte>(scales.bytes().begin(), scales.bytes().end())));
    return Float8Tensor::Create(weight, std::move(scales), rows, columns);
  }
  TERSOR_ASSIGN_OR_RETURN(const int64_t groups, GroupsOf(scheme, columns, false));
  if (scales.dtype() != DType::kU8) return Float8Tensor::Create(weight, std::move(scales), 1, columns / groups);
  const CodeBook& book = weight.dtype() == DType::kF8E4M3 ? E4m3Book() : E5m2Book();
  return MakeCodebook(book, ScaleForm::kE8m0, weight.shape(), groups, weight, {{"scales", std::move(scales)}});
}

absl::StatusOr<EncodedTensorPtr> ReadFloat4Weight(const WeightScheme& scheme, const std::string& module,
                                                  TensorPool& pool) {
  TERSOR_ASSIGN_OR_RETURN(const Tensor codes, pool.Take(module + ".weight_packed"));
  TERSOR_ASSIGN_OR_RETURN(Tensor scales, pool.Take(module + ".weight_scale"));
  const std::optional<Tensor> divisor = pool.TakeIfThere(module + ".weight_global_scale");
  if (scheme.bits != 4 || codes.dtype() != DType::kU8 || codes.shape().size() != 2 || codes.elements() < 1) {
    return absl::UnimplementedError(absl::StrCat("weight_packed is ", DTypeName(codes.dtype()), " ",
                                                 ShapeString(codes.shape()), " of ", scheme.bits,
                                                 "-bit floats; 4-bit floats, two a byte (U8), are read"));
  }
  const Shape shape = {codes.shape()[0], 2 * codes.shape()[1]};
  TERSOR_ASSIGN_OR_RETURN(const int64_t groups, GroupsOf(scheme, shape[1], false));
  if (scheme.strategy == "tensor_group" || divisor) {
    if (!divisor) return absl::InvalidArgumentError("weight_global_scale is missing");
    if (divisor->dtype() != DType::kF32 || divisor->elements() != 1 || scales.dtype() != DType::kF8E4M3) {
      return absl::InvalidArgumentError(absl::StrCat(
          "weight_scale is ", DTypeName(scales.dtype()), " and weight_global_scale ", DTypeName(divisor->dtype()), " ",
          ShapeString(divisor->shape()), "; expected F8_E4M3 and one F32 number"));
    }
    TERSOR_ASSIGN_OR_RETURN(Tensor codes_of_scales, AsCodes(scales, scales.shape()));
    TERSOR_ASSIGN_OR_RETURN(
        Tensor one,
        Tensor::Own(DType::kF32, {1}, std::vector<std::byte>(divisor->bytes().begin(), divisor->bytes().end())));
    return MakeCodebook(E2m1Book(), ScaleForm::kE4m3Over, shape, groups, codes,
                        {{"scales", std::move(codes_of_scales)}, {"divisor", std::move(one)}});
  }
  return MakeCodebook(E2m1Book(), ScaleForm::kE8m0, shape, groups, codes, {{"scales", std::move(scales)}});
}

}  // namespace tersor
