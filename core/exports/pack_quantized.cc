#include "core/exports/pack_quantized.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr int64_t kWordBits = 32;

int64_t Words(int64_t count, int bits) { return (count * bits + kWordBits - 1) / kWordBits; }

int64_t Groups(const Shape& shape, const PackedScheme& scheme) {
  return scheme.group_size == 0 ? 1 : shape[1] / scheme.group_size;
}

// Element i of `values` (every `stride`-th one) at bit i * bits, lowest word first; the rest of the last word is zero.
void PackWords(const uint8_t* values, int64_t count, int64_t stride, int bits, int32_t* words, int64_t word_stride) {
  const int64_t per_word = kWordBits / bits;
  for (int64_t word = 0; word * per_word < count; ++word) {
    uint32_t packed = 0;
    for (int64_t i = 0; i < per_word && word * per_word + i < count; ++i) {
      packed |= static_cast<uint32_t>(values[(word * per_word + i) * stride]) << (i * bits);
    }
    words[word * word_stride] = static_cast<int32_t>(packed);
  }
}

void UnpackWords(const int32_t* words, int64_t word_stride, int64_t count, int bits, uint8_t* values, int64_t stride) {
  const int64_t per_word = kWordBits / bits;
  const uint32_t mask = (1u << bits) - 1;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t packed = static_cast<uint32_t>(words[i / per_word * word_stride]);
    values[i * stride] = static_cast<uint8_t>(packed >> (i % per_word * bits) & mask);
  }
}

template <typename T>
std::vector<T> Copy(const Tensor& tensor) {
  std::vector<T> values(tensor.bytes().size() / sizeof(T));
  std::memcpy(values.data(), tensor.bytes().data(), values.size() * sizeof(T));
  return values;
}

absl::StatusOr<Tensor> FindChecked(const Safetensors& file, const TensorDeclaration& wanted) {
  TERSOR_ASSIGN_OR_RETURN(const Tensor tensor, file.Find(wanted.name));
  if (tensor.dtype() == wanted.dtype && tensor.shape() == wanted.shape) return tensor;
  return absl::InvalidArgumentError(absl::StrCat("tensor \"", wanted.name, "\" is ", DTypeName(tensor.dtype()), " ",
                                                 ShapeString(tensor.shape()), ", expected ", DTypeName(wanted.dtype),
                                                 " ", ShapeString(wanted.shape)));
}

absl::StatusOr<Shape> ReadShape(absl::string_view module, const PackedScheme& scheme, const Safetensors& file) {
  TERSOR_ASSIGN_OR_RETURN(const Tensor tensor,
                          FindChecked(file, {absl::StrCat(module, ".weight_shape"), DType::kI64, {2}}));
  const Shape shape = Copy<int64_t>(tensor);
  if (shape[0] < 1 || shape[1] < 1 || ElementCount(shape) < 0 || shape[1] > (int64_t{1} << 40) ||
      (scheme.group_size > 0 && shape[1] % scheme.group_size != 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor \"", module, ".weight_shape\" says ", ShapeString(shape), ", which cannot be"));
  }
  return shape;
}

}  // namespace

std::vector<TensorDeclaration> PackedDeclarations(absl::string_view module, const Shape& shape,
                                                  const PackedScheme& scheme) {
  const int64_t groups = Groups(shape, scheme);
  std::vector<TensorDeclaration> tensors = {
      {absl::StrCat(module, ".weight_packed"), DType::kI32, {shape[0], Words(shape[1], scheme.bits)}},
      {absl::StrCat(module, ".weight_scale"), DType::kF16, {shape[0], groups}},
      {absl::StrCat(module, ".weight_shape"), DType::kI64, {2}}};
  if (!scheme.symmetric) {
    tensors.push_back(
        {absl::StrCat(module, ".weight_zero_point"), DType::kI32, {Words(shape[0], scheme.bits), groups}});
  }
  return tensors;
}

absl::StatusOr<std::vector<PackedTensor>> PackQuantized(absl::string_view module, const GroupIntTensor& weight) {
  const PackedScheme scheme = {weight.bits(), weight.group_size(), weight.symmetric()};
  const int64_t rows = weight.rows(), columns = weight.columns(), groups = weight.groups(), bits = weight.bits();
  const std::vector<TensorDeclaration> declared = PackedDeclarations(module, weight.shape(), scheme);
  std::vector<int32_t> packed(rows * declared[0].shape[1]);
  std::vector<uint16_t> scales(rows * groups);
  std::vector<uint8_t> codes(columns), zero_points(rows * groups);
  for (int64_t row = 0; row < rows; ++row) {
    weight.CodesOfRow(row, codes.data());
    PackWords(codes.data(), columns, 1, bits, packed.data() + row * declared[0].shape[1], 1);
    weight.ZeroPointsOfRow(row, zero_points.data() + row * groups);
    for (int64_t group = 0; group < groups; ++group) scales[row * groups + group] = weight.ScaleBits(row, group);
  }
  std::vector<PackedTensor> tensors(declared.size());
  for (size_t i = 0; i < declared.size(); ++i) tensors[i].name = declared[i].name;
  TERSOR_ASSIGN_OR_RETURN(tensors[0].tensor, Tensor::Own(declared[0].dtype, declared[0].shape, std::move(packed)));
  TERSOR_ASSIGN_OR_RETURN(tensors[1].tensor, Tensor::Own(declared[1].dtype, declared[1].shape, std::move(scales)));
  TERSOR_ASSIGN_OR_RETURN(tensors[2].tensor,
                          Tensor::Own(declared[2].dtype, declared[2].shape, std::vector<int64_t>{rows, columns}));
  if (weight.symmetric()) return tensors;
  std::vector<int32_t> words(declared[3].shape[0] * groups);
  for (int64_t group = 0; group < groups; ++group) {
    PackWords(zero_points.data() + group, rows, groups, bits, words.data() + group, groups);
  }
  TERSOR_ASSIGN_OR_RETURN(tensors[3].tensor, Tensor::Own(declared[3].dtype, declared[3].shape, std::move(words)));
  return tensors;
}

absl::StatusOr<std::shared_ptr<const GroupIntTensor>> UnpackQuantized(absl::string_view module,
                                                                      const PackedScheme& scheme,
                                                                      const Safetensors& file) {
  TERSOR_ASSIGN_OR_RETURN(const Shape shape, ReadShape(module, scheme, file));
  const std::vector<TensorDeclaration> declared = PackedDeclarations(module, shape, scheme);
  TERSOR_ASSIGN_OR_RETURN(const Tensor packed_tensor, FindChecked(file, declared[0]));
  TERSOR_ASSIGN_OR_RETURN(const Tensor scale_tensor, FindChecked(file, declared[1]));
  const std::vector<int32_t> packed = Copy<int32_t>(packed_tensor);
  const int64_t rows = shape[0], columns = shape[1], groups = Groups(shape, scheme), words = declared[0].shape[1];
  std::vector<uint8_t> codes(rows * columns);
  for (int64_t row = 0; row < rows; ++row) {
    UnpackWords(packed.data() + row * words, 1, columns, scheme.bits, codes.data() + row * columns, 1);
  }
  std::vector<uint8_t> zero_points;
  if (!scheme.symmetric) {
    TERSOR_ASSIGN_OR_RETURN(const Tensor zero_tensor, FindChecked(file, declared[3]));
    const std::vector<int32_t> zero_words = Copy<int32_t>(zero_tensor);
    zero_points.resize(rows * groups);
    for (int64_t group = 0; group < groups; ++group) {
      UnpackWords(zero_words.data() + group, groups, rows, scheme.bits, zero_points.data() + group, groups);
    }
  }
  const GroupIntLayout layout = {rows, columns, scheme.bits, scheme.group_size == 0 ? -1 : scheme.group_size};
  return GroupIntTensor::Create(layout, codes, Copy<uint16_t>(scale_tensor), zero_points);
}

}  // namespace tersor
