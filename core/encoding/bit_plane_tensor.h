// Binary-coding quantization: a weight is a sum of scaled signs.
#ifndef TERSOR_CORE_ENCODING_BIT_PLANE_TENSOR_H_
#define TERSOR_CORE_ENCODING_BIT_PLANE_TENSOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

struct BitPlaneLayout {
  int64_t rows = 0;
  int64_t columns = 0;
  // 1 to 8.
  int planes = 4;
  // Divides `columns`; -1 on construction is one group a row.
  int64_t group_size = -1;
};

// value = sum over planes i of scale[row, group, i] * sign[i, row, column], signs -1 or 1 (LUT-GEMM, arXiv 2206.09557,
// equation 1). Fields: "signs" U8 [planes, rows, ceil(columns / 8)], a set bit is 1, lowest bit first; "scales" F16
// [rows, groups, planes]. Parameters {"planes": 4, "group_size": 64}.
class BitPlaneTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "bit-planes";
  static constexpr int kMostPlanes = 8;

  // `codes` [rows, columns]: bit i of a code is the sign in plane i. `scales` [rows, groups, planes] are F16 numbers'
  // bits.
  static absl::StatusOr<EncodedTensorPtr> Create(const BitPlaneLayout& layout, std::span<const uint8_t> codes,
                                                 std::span<const uint16_t> scales);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);
  static uint64_t ByteSize(const BitPlaneLayout& layout);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override { return signs_.bytes().size() + scales_.bytes().size(); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;

  // What kernels read.
  int planes() const { return planes_; }
  int64_t group_size() const { return group_size_; }
  int64_t groups() const { return columns() / group_size_; }
  // Bytes of a row of a plane.
  int64_t row_bytes() const { return (columns() + 7) / 8; }
  const uint8_t* Signs(int plane, int64_t row) const;
  float Scale(int64_t row, int64_t group, int plane) const;

 private:
  BitPlaneTensor(const BitPlaneLayout& layout, Tensor signs, Tensor scales)
      : shape_({layout.rows, layout.columns}),
        planes_(layout.planes),
        group_size_(layout.group_size),
        signs_(std::move(signs)),
        scales_(std::move(scales)) {}

  Shape shape_;
  int planes_;
  int64_t group_size_;
  Tensor signs_;
  Tensor scales_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_BIT_PLANE_TENSOR_H_
