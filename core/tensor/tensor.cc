#include "core/tensor/tensor.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

template <typename T, typename Convert>
void DecodeAs(const std::byte* bytes, int64_t count, float* out, Convert convert) {
  for (int64_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    out[i] = convert(value);
  }
}

}  // namespace

int64_t ElementCount(const Shape& shape) {
  constexpr int64_t kLimit = int64_t{1} << 62;
  int64_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0) return -1;
    if (dimension != 0 && count > kLimit / dimension) return -1;
    count *= dimension;
  }
  return count;
}

std::string ShapeString(const Shape& shape) { return absl::StrCat("[", absl::StrJoin(shape, ", "), "]"); }

absl::StatusOr<Tensor> Tensor::View(DType dtype, Shape shape, std::span<const std::byte> bytes,
                                    std::shared_ptr<const void> owner) {
  const int64_t elements = ElementCount(shape);
  if (elements < 0 || bytes.size() / DTypeSize(dtype) != static_cast<uint64_t>(elements) ||
      bytes.size() % DTypeSize(dtype) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("shape ", ShapeString(shape), " of ", DTypeName(dtype),
                                                   " does not match ", bytes.size(), " bytes"));
  }
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.bytes_ = bytes;
  tensor.owner_ = std::move(owner);
  return tensor;
}

absl::Status DecodeToFloat(const Tensor& tensor, int64_t first, int64_t count, float* out) {
  if (first < 0 || count < 0 || first > tensor.elements() - count) {
    return absl::OutOfRangeError(absl::StrCat("elements ", first, "..", first + count, " of ", tensor.elements()));
  }
  const std::byte* bytes = tensor.bytes().data() + first * DTypeSize(tensor.dtype());
  switch (tensor.dtype()) {
    case DType::kF32:
      std::memcpy(out, bytes, count * sizeof(float));
      return absl::OkStatus();
    case DType::kF16:
      F16ToFloats(bytes, count, out);
      return absl::OkStatus();
    case DType::kBF16:
      DecodeAs<uint16_t>(bytes, count, out, BF16ToFloat);
      return absl::OkStatus();
    case DType::kF64:
      DecodeAs<double>(bytes, count, out, [](double value) { return static_cast<float>(value); });
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(absl::StrCat("cannot convert ", DTypeName(tensor.dtype()), " to float"));
  }
}

}  // namespace tersor
