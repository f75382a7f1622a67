// A matrix of OliVe's outlier-victim pairs.
#ifndef TERSOR_CORE_ENCODING_OUTLIER_PAIR_TENSOR_H_
#define TERSOR_CORE_ENCODING_OUTLIER_PAIR_TENSOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/outlier_pairs.h"

namespace tersor {

struct OutlierPairLayout {
  int64_t rows = 0;
  // Even, as a group is.
  int64_t columns = 0;
  // 4 or 8.
  int bits = 4;
  // Divides `columns`; -1 on construction is one group a row.
  int64_t group_size = -1;
};

// Pairs are columns 2i and 2i + 1 of a row; value = decoded pair (outlier_pairs.h) * scale. Fields: "codes" U8 [rows,
// columns * bits / 8], "scales" F16 [rows, groups]. Parameters {"bits": 4, "group_size": 64}.
class OutlierPairTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "outlier-pairs";

  // `codes` [rows, columns], unpacked; `scales` [rows, groups] are the bits of F16 numbers.
  static absl::StatusOr<EncodedTensorPtr> Create(const OutlierPairLayout& layout, std::span<const uint8_t> codes,
                                                 std::span<const uint16_t> scales);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);
  static uint64_t ByteSize(const OutlierPairLayout& layout);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override { return codes_.bytes().size() + scales_.bytes().size(); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override { return {{"codes", codes_}, {"scales", scales_}}; }
  nlohmann::json Parameters() const override;

  int bits() const { return pairs_.bits(); }
  int64_t group_size() const { return group_size_; }
  // What kernels read; bounds are the caller's duty. Values of a row in units of the scale: whole numbers.
  void UnitsOfRow(int64_t row, float* units) const;
  // The stored scale: its F16 bits.
  uint16_t ScaleBits(int64_t row, int64_t group) const;

 private:
  OutlierPairTensor(const OutlierPairLayout& layout, Tensor codes, Tensor scales)
      : shape_({layout.rows, layout.columns}),
        pairs_(layout.bits),
        group_size_(layout.group_size),
        codes_(std::move(codes)),
        scales_(std::move(scales)) {}

  Shape shape_;
  OutlierPairs pairs_;
  int64_t group_size_;
  Tensor codes_;
  Tensor scales_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_OUTLIER_PAIR_TENSOR_H_
