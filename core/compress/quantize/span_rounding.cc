#include "core/compress/quantize/span_rounding.h"

#include <span>
#include <utility>
#include <vector>

#include "core/encoding/group_int_tensor.h"
#include "core/tensor/float16.h"
#include "core/tensor/packed_ints.h"

namespace tersor {
namespace {

// Fields of a GroupIntTensor that different threads fill, different rows each.
class PackedRows {
 public:
  PackedRows(int64_t rows, int64_t columns, const GridOptions& options)
      : rows_(rows),
        columns_(columns),
        groups_(columns / options.GroupColumns(columns)),
        options_(options),
        codes_(rows * PackedBytes(columns, options.bits)),
        scales_(rows * groups_),
        zero_points_(options.symmetric ? 0 : rows * PackedBytes(groups_, options.bits)) {}

  // The rows from `first` on.
  absl::Status Add(int64_t first, ConstMatrixView rows) {
    std::vector<uint8_t> codes(columns_), zero_point_codes(groups_);
    std::vector<float> scales(groups_), zero_points(groups_);
    for (int64_t i = 0; i < rows.rows; ++i) {
      const std::span<const float> values(rows.row(i), static_cast<size_t>(columns_));
      if (!RoundRowToSpans(values, options_, scales.data(), zero_points.data(), codes.data())) {
        return CheckWeights(rows, options_, first);
      }
      for (int64_t g = 0; g < groups_; ++g) scales_[(first + i) * groups_ + g] = FloatToF16(scales[g]);
      TERSOR_RETURN_IF_ERROR(PackInts(codes, options_.bits, RowOf(codes_, first + i)));
      if (options_.symmetric) continue;
      std::copy(zero_points.begin(), zero_points.end(), zero_point_codes.begin());
      TERSOR_RETURN_IF_ERROR(PackInts(zero_point_codes, options_.bits, RowOf(zero_points_, first + i)));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<EncodedTensorPtr> Finish() && {
    TERSOR_ASSIGN_OR_RETURN(Tensor codes, Own(DType::kU8, std::move(codes_)));
    TERSOR_ASSIGN_OR_RETURN(Tensor scales, Own(DType::kF16, std::move(scales_)));
    Tensor zero_points;
    if (!options_.symmetric) {
      TERSOR_ASSIGN_OR_RETURN(zero_points, Own(DType::kU8, std::move(zero_points_)));
    }
    return GroupIntTensor::FromPacked({rows_, columns_, options_.bits, options_.group_size}, std::move(codes),
                                      std::move(scales), std::move(zero_points));
  }

 private:
  std::span<std::byte> RowOf(std::vector<std::byte>& packed, int64_t row) const {
    const size_t row_bytes = packed.size() / rows_;
    return std::span(packed).subspan(row * row_bytes, row_bytes);
  }
  template <typename T>
  absl::StatusOr<Tensor> Own(DType dtype, std::vector<T> values) const {
    const int64_t width = static_cast<int64_t>(values.size()) / rows_;
    return Tensor::Own(dtype, {rows_, width}, std::move(values));
  }

  const int64_t rows_, columns_, groups_;
  const GridOptions options_;
  std::vector<std::byte> codes_;
  std::vector<uint16_t> scales_;
  std::vector<std::byte> zero_points_;
};

}  // namespace

absl::StatusOr<EncodedLayer> EncodeToSpans(const LayerWeight& weight, const GridOptions& options) {
  PackedRows packed(weight.stored->rows(), weight.stored->columns(), options);
  TERSOR_RETURN_IF_ERROR(
      weight.VisitTiles([&](int64_t first, ConstMatrixView rows) { return packed.Add(first, rows); }));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, std::move(packed).Finish());
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
