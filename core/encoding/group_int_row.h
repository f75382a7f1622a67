// Rows of a GroupIntTensor as they are stored, and what they stand for.
#ifndef TERSOR_CORE_ENCODING_GROUP_INT_ROW_H_
#define TERSOR_CORE_ENCODING_GROUP_INT_ROW_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tersor {

// The grid of a group-int tensor; group g of a row holds columns g * group_size .. (g + 1) * group_size - 1.
struct GroupIntLayout {
  int64_t rows = 0;
  int64_t columns = 0;
  // 2 to 8.
  int bits = 4;
  // Divides `columns`. -1 is accepted on construction and becomes `columns`: one group a row.
  int64_t group_size = -1;
};

// The bytes of one row of each field; `zero_points` is empty where there are none. The tensor's comment says what they
// mean.
struct PackedGroupIntRow {
  std::span<const std::byte> codes;
  std::span<const std::byte> scales;
  std::span<const std::byte> zero_points;
};

// Decodes rows of one layout, which is valid and has a group size above 0. Used by one thread at a time: it keeps the
// memory that decoding takes.
class GroupIntRowDecoder {
 public:
  explicit GroupIntRowDecoder(const GroupIntLayout& layout);
  // The row's values, layout.columns floats; its parts have the sizes that the layout gives them.
  void Decode(const PackedGroupIntRow& row, float* out);

 private:
  const GroupIntLayout layout_;
  std::vector<uint8_t> codes_, zero_point_codes_;
  std::vector<float> scales_, zero_points_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_GROUP_INT_ROW_H_
