#include "core/exports/integer_codes.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

IntegerCodes TakeIntegerCodes(const GroupIntTensor& weight, int packed_bits) {
  const int64_t rows = weight.rows(), columns = weight.columns(), groups = weight.groups();
  IntegerCodes taken;
  taken.codes.resize(rows * columns);
  taken.zero_points.resize(rows * groups);
  taken.scales.resize(rows * groups);
  for (int64_t row = 0; row < rows; ++row) {
    weight.CodesOfRow(row, taken.codes.data() + row * columns);
    weight.ZeroPointsOfRow(row, taken.zero_points.data() + row * groups);
    for (int64_t group = 0; group < groups; ++group) taken.scales[row * groups + group] = weight.ScaleBits(row, group);
  }
  const int shift = (1 << (packed_bits - 1)) - (1 << (weight.bits() - 1));
  for (uint8_t& code : taken.codes) code = static_cast<uint8_t>(code + shift);
  for (uint8_t& zero_point : taken.zero_points) zero_point = static_cast<uint8_t>(zero_point + shift);
  return taken;
}

absl::StatusOr<Tensor> ScalesByGroup(const IntegerCodes& codes, int64_t rows, int64_t groups) {
  std::vector<uint16_t> turned(codes.scales.size());
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t group = 0; group < groups; ++group) turned[group * rows + row] = codes.scales[row * groups + group];
  }
  return Tensor::Own(DType::kF16, {groups, rows}, std::move(turned));
}

absl::StatusOr<const GroupIntTensor*> AsGroupInt(const EncodedTensor& weight) {
  const auto* integers = dynamic_cast<const GroupIntTensor*>(&weight);
  if (integers != nullptr) return integers;
  return absl::InternalError(absl::StrCat("a layer that was planned as group-int is ", weight.encoding()));
}

}  // namespace tersor
