// Integer codes as other tools store them where group-int cannot: groups of any columns, scales of any type.
#ifndef TERSOR_CORE_ENCODING_INDEXED_INT_TENSOR_H_
#define TERSOR_CORE_ENCODING_INDEXED_INT_TENSOR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// The parts of a matrix of integer codes, unpacked. Lengths are checked by MakeIntTensor.
struct IntParts {
  int64_t rows = 0;
  int64_t columns = 0;
  // 2 to 8.
  int bits = 4;
  // Unsigned, [rows, columns].
  std::vector<uint8_t> codes;
  // F16, BF16 or F32, [rows, groups].
  Tensor scales;
  // Unsigned, [rows, groups]; empty: 2^(bits-1) for all.
  std::vector<uint8_t> zero_points;
  // Group of each column, [columns]; empty: columns in equal runs.
  std::vector<int32_t> group_index;
};

// group-int where it holds the parts without loss: F16 scales, or others that are F16 numbers all of them, and groups
// of neighbouring columns; else indexed-int. Zero points that are all 2^(bits-1) are left out. INVALID_ARGUMENT says
// which part does not fit, OUT_OF_RANGE a group index.
absl::StatusOr<EncodedTensorPtr> MakeIntTensor(IntParts parts);

// value = (code - zero point) * scale of the column's group, in float.
//
// Fields: "codes" U8 [rows, PackedBytes(columns, bits)], "scales" F16, BF16 or F32 [rows, groups], where not symmetric
// "zero_points" U8 [rows, PackedBytes(groups, bits)], and "group_index" I32 [columns] where groups are not equal runs
// of neighbouring columns (act-order). Parameters: {"bits": 4}.
class IndexedIntTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "indexed-int";

  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override;
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;

  int bits() const { return bits_; }
  int64_t groups() const { return scales_.shape()[1]; }
  bool symmetric() const { return zero_points_.bytes().empty(); }
  bool has_group_index() const { return !group_index_.bytes().empty(); }

 private:
  IndexedIntTensor() = default;
  absl::Status Check() const;
  void ResolveGroups();

  Shape shape_;
  int bits_ = 4;
  Tensor codes_, scales_, zero_points_, group_index_;
  // Group of each column.
  std::vector<int32_t> group_of_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_INDEXED_INT_TENSOR_H_
