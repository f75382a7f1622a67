#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/group_int_tensor.h"
#include "core/model/low_bit_codes.h"

namespace tersor {
namespace {

LowBitLayout LayoutOf(const WeightRows& rows, const GroupIntTensor& weight) {
  return {rows.outputs, weight.columns(), weight.bits(), weight.group_size(), !weight.symmetric()};
}

}  // namespace

bool GroupIntCodesFit(const WeightRows& rows, const ComputeOptions&) {
  const auto* weight = dynamic_cast<const GroupIntTensor*>(rows.weight);
  return weight != nullptr && LowBitMatrix::Supports(LayoutOf(rows, *weight));
}

absl::StatusOr<LowBitCodes> PackGroupIntCodes(const WeightRows& rows, const ComputeOptions& options) {
  const auto& weight = dynamic_cast<const GroupIntTensor&>(*rows.weight);
  const bool int8 = options.linears == LinearCompute::kEncodedInt8;
  const auto read = [&](int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales,
                        std::span<uint8_t> zero_points) {
    weight.CodesOfRow(rows.first + row, codes.data());
    if (!zero_points.empty()) weight.ZeroPointsOfRow(rows.first + row, zero_points.data());
    for (size_t group = 0; group < scales.size(); ++group) {
      scales[group] = weight.ScaleBits(rows.first + row, static_cast<int64_t>(group));
    }
  };
  TERSOR_ASSIGN_OR_RETURN(
      LowBitMatrix matrix,
      LowBitMatrix::Pack(LayoutOf(rows, weight), int8 ? RowActivations::kInt8 : RowActivations::kFloat32,
                         options.threads, read));
  return LowBitCodes{std::move(matrix), absl::StrCat("int", weight.bits(), " x ", int8 ? "int8" : "float32")};
}

}  // namespace tersor
