#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/bilevel_int_tensor.h"
#include "core/model/low_bit_codes.h"

namespace tersor {
namespace {

LevelLayout LayoutOf(const WeightRows& rows, const BilevelIntLayout& layout) {
  return {rows.outputs, layout.columns, layout.bits, layout.group_size};
}

}  // namespace

bool BilevelCodesFit(const WeightRows& rows, const ComputeOptions&) {
  const auto* weight = dynamic_cast<const BilevelIntTensor*>(rows.weight);
  if (weight == nullptr) return false;
  const BilevelIntLayout& layout = weight->layout();
  // The kernel's tiles have one grid each, and two codes share a byte.
  constexpr int kMostScaleBits = 4;
  const bool whole_tiles = layout.tile_rows % LowBitMatrix::kTile == 0 && rows.first % LowBitMatrix::kTile == 0;
  return whole_tiles && layout.scale_bits <= kMostScaleBits && LowBitMatrix::SupportsLevels(LayoutOf(rows, layout));
}

absl::StatusOr<LowBitCodes> PackBilevelCodes(const WeightRows& rows, const ComputeOptions& options) {
  const auto& weight = dynamic_cast<const BilevelIntTensor&>(*rows.weight);
  const bool int8 = options.linears == LinearCompute::kEncodedInt8;
  const auto read = [&](int64_t row, std::span<uint8_t> codes, std::span<uint8_t> levels) {
    weight.CodesOfRow(rows.first + row, codes);
    std::vector<uint8_t> zero_codes(levels.size());
    weight.ScaleCodesOfRow(rows.first + row, levels);
    weight.ZeroCodesOfRow(rows.first + row, zero_codes);
    for (size_t group = 0; group < levels.size(); ++group) {
      levels[group] = static_cast<uint8_t>(levels[group] | zero_codes[group] << 4);
    }
  };
  const auto read_grids = [&](int64_t tile, std::span<LevelGrid> grids) {
    for (size_t group = 0; group < grids.size(); ++group) {
      const BilevelGrid grid = weight.GridOf(rows.first + tile * LowBitMatrix::kTile, static_cast<int64_t>(group));
      grids[group] = {grid.least_scale, grid.scale_step, grid.least_zero_point, grid.zero_point_step};
    }
  };
  TERSOR_ASSIGN_OR_RETURN(
      LowBitMatrix matrix,
      LowBitMatrix::PackLevels(LayoutOf(rows, weight.layout()), int8 ? RowActivations::kInt8 : RowActivations::kFloat32,
                               options.threads, read, read_grids));
  return LowBitCodes{std::move(matrix),
                     absl::StrCat("bilevel int", weight.layout().bits, " x ", int8 ? "int8" : "float32")};
}

}  // namespace tersor
