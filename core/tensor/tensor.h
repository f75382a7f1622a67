// A contiguous row-major tensor whose bytes are owned or mapped.
#ifndef TERSOR_CORE_TENSOR_TENSOR_H_
#define TERSOR_CORE_TENSOR_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/tensor/dtype.h"

namespace tersor {

using Shape = std::vector<int64_t>;

// Product of the dimensions; nullopt-like -1 where one is negative or the product exceeds 2^62.
int64_t ElementCount(const Shape& shape);
// "[49152, 576]".
std::string ShapeString(const Shape& shape);

// Immutable once shared; copying shares the bytes. Bytes of mapped tensors may be unaligned for their type: read them
// through memcpy or the Decode functions unless `aligned()`.
class Tensor {
 public:
  Tensor() = default;
  // `owner` keeps `bytes` alive. The byte count must equal elements x size.
  static absl::StatusOr<Tensor> View(DType dtype, Shape shape, std::span<const std::byte> bytes,
                                     std::shared_ptr<const void> owner);
  // Takes the vector's bytes.
  template <typename T>
  static absl::StatusOr<Tensor> Own(DType dtype, Shape shape, std::vector<T> values) {
    auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    return View(dtype, std::move(shape), std::as_bytes(std::span<const T>(*owner)), owner);
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t elements() const { return ElementCount(shape_); }
  std::span<const std::byte> bytes() const { return bytes_; }
  bool aligned() const { return reinterpret_cast<uintptr_t>(bytes_.data()) % DTypeSize(dtype_) == 0; }
  // Typed view; the caller has checked dtype and alignment.
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

 private:
  DType dtype_ = DType::kF32;
  Shape shape_;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

// Converts `count` elements from element `first` on to float. INVALID_ARGUMENT for types that are not F32, F16, BF16 or
// F64.
absl::Status DecodeToFloat(const Tensor& tensor, int64_t first, int64_t count, float* out);

}  // namespace tersor

#endif  // TERSOR_CORE_TENSOR_TENSOR_H_
