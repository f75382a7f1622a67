#include "core/compress/quantize/span_rounding.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/encoding/group_int_row.h"
#include "core/encoding/group_int_tensor.h"
#include "core/kernels/scratch.h"
#include "core/kernels/squared_error.h"
#include "core/tensor/float16.h"
#include "core/tensor/packed_ints.h"

namespace tersor {
namespace {

// A field of a tensor, row by row. Uninitialised at first: whoever fills a row is the first to touch its pages.
template <typename T>
class FieldRows {
 public:
  FieldRows(int64_t rows, int64_t width)
      : rows_(rows), width_(width), values_(std::make_shared_for_overwrite<T[]>(rows * width)) {}
  std::span<T> row(int64_t i) { return {values_.get() + i * width_, static_cast<size_t>(width_)}; }
  absl::StatusOr<Tensor> Finish(DType dtype) const {
    const std::span<const T> all(values_.get(), static_cast<size_t>(rows_ * width_));
    return Tensor::View(dtype, {rows_, width_}, std::as_bytes(all), values_);
  }

 private:
  const int64_t rows_, width_;
  const std::shared_ptr<T[]> values_;
};

// Fields of a GroupIntTensor that different threads fill, different rows each.
class PackedRows {
 public:
  PackedRows(int64_t rows, int64_t columns, const GridOptions& options)
      : layout_{rows, columns, options.bits, options.GroupColumns(columns)},
        groups_(columns / layout_.group_size),
        options_(options),
        codes_(rows, PackedBytes(columns, options.bits)),
        scales_(rows, groups_),
        zero_points_(rows, options.symmetric ? 0 : PackedBytes(groups_, options.bits)) {}

  // Rounds and packs the rows from `first` on.
  absl::Status Add(int64_t first, ConstMatrixView rows) {
    std::vector<uint8_t> codes(layout_.columns), zero_point_codes(groups_);
    std::vector<float> scales(groups_), zero_points(groups_);
    for (int64_t i = 0; i < rows.rows; ++i) {
      const std::span<const float> values(rows.row(i), codes.size());
      if (!RoundRowToSpans(values, options_, scales.data(), zero_points.data(), codes.data())) {
        return CheckWeights(rows, options_, first);
      }
      std::transform(scales.begin(), scales.end(), scales_.row(first + i).begin(), FloatToF16);
      TERSOR_RETURN_IF_ERROR(PackInts(codes, options_.bits, codes_.row(first + i)));
      if (options_.symmetric) continue;
      std::copy(zero_points.begin(), zero_points.end(), zero_point_codes.begin());
      TERSOR_RETURN_IF_ERROR(PackInts(zero_point_codes, options_.bits, zero_points_.row(first + i)));
    }
    return absl::OkStatus();
  }

  // How far the rows from `first` on, which were added, are from what they decode to.
  SquareSums Compare(int64_t first, ConstMatrixView rows) {
    GroupIntRowDecoder decoder(layout_);
    ScratchBuffer decoded(layout_.columns);
    SquareSums sums;
    for (int64_t i = 0; i < rows.rows; ++i) {
      decoder.Decode({codes_.row(first + i), std::as_bytes(scales_.row(first + i)), zero_points_.row(first + i)},
                     decoded.data());
      const SquareSums row = SumSquares(rows.row(i), decoded.data(), layout_.columns);
      sums.error += row.error;
      sums.energy += row.energy;
    }
    return sums;
  }

  absl::StatusOr<EncodedTensorPtr> Finish() const {
    TERSOR_ASSIGN_OR_RETURN(Tensor codes, codes_.Finish(DType::kU8));
    TERSOR_ASSIGN_OR_RETURN(Tensor scales, scales_.Finish(DType::kF16));
    Tensor zero_points;
    if (!options_.symmetric) {
      TERSOR_ASSIGN_OR_RETURN(zero_points, zero_points_.Finish(DType::kU8));
    }
    return GroupIntTensor::FromPacked(layout_, std::move(codes), std::move(scales), std::move(zero_points));
  }

 private:
  const GroupIntLayout layout_;
  const int64_t groups_;
  const GridOptions options_;
  FieldRows<std::byte> codes_;
  FieldRows<uint16_t> scales_;
  FieldRows<std::byte> zero_points_;
};

}  // namespace

absl::StatusOr<EncodedLayer> EncodeToSpans(const LayerWeight& weight, const GridOptions& options) {
  const int64_t rows = weight.stored->rows();
  PackedRows packed(rows, weight.stored->columns(), options);
  std::vector<SquareSums> sums((rows + kTileRows - 1) / kTileRows);
  TERSOR_RETURN_IF_ERROR(weight.VisitTiles([&](int64_t first, ConstMatrixView tile) -> absl::Status {
    TERSOR_RETURN_IF_ERROR(packed.Add(first, tile));
    sums[first / kTileRows] = packed.Compare(first, tile);
    return absl::OkStatus();
  }));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, packed.Finish());
  return EncodedLayer{.weight = std::move(encoded), .note = "", .weight_error = RelativeError(sums)};
}

}  // namespace tersor
