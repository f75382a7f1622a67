#include "core/compress/quantize/layer_weight.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/kernels/column_absmax.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"

namespace tersor {
namespace {

// So that threads end at about the same time.
constexpr int64_t kPartsAThread = 4;

using VisitTile = absl::FunctionRef<absl::Status(int64_t first, ConstMatrixView rows)>;

// `rows` are the weight's from row `first` on.
absl::Status CheckFinite(int64_t first, ConstMatrixView rows) {
  for (int64_t i = 0; i < rows.rows; ++i) {
    const float *begin = rows.row(i), *end = begin + rows.columns;
    const float* at = std::find_if_not(begin, end, [](float value) { return std::isfinite(value); });
    if (at == end) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("weight [", first + i, ", ", at - begin, "] is ", *at, ", not a finite number"));
  }
  return absl::OkStatus();
}

// False for NaN.
bool AllFinite(const std::vector<float>& magnitudes) {
  int beyond = 0;
  for (const float magnitude : magnitudes) beyond += magnitude <= std::numeric_limits<float>::max() ? 0 : 1;
  return beyond == 0;
}

// Decodes tiles of neighbouring rows, to their place in `whole` or, where that is null, to a buffer for the visit.
class TileReader {
 public:
  TileReader(const EncodedTensor& stored, float* whole, std::vector<float>& magnitudes)
      : stored_(stored),
        columns_(stored.columns()),
        whole_(whole),
        buffer_(whole == nullptr ? kTileRows * columns_ : 0),
        magnitudes_(magnitudes) {
    magnitudes_.assign(columns_, 0.0f);
  }

  absl::Status Read(int64_t first, int64_t count, VisitTile visit) {
    float* values = whole_ == nullptr ? buffer_.data() : whole_ + first * columns_;
    const ConstMatrixView rows(values, count, columns_);
    stored_.DecodeRows(first, count, values);
    AddColumnAbsMax(values, columns_, count, columns_, magnitudes_.data());
    if (!AllFinite(magnitudes_)) return CheckFinite(first, rows);
    return visit(first, rows);
  }

 private:
  const EncodedTensor& stored_;
  const int64_t columns_;
  float* const whole_;
  ScratchBuffer buffer_;
  std::vector<float>& magnitudes_;
};

absl::Status ReadTiles(const LayerWeight& weight, float* whole, VisitTile visit) {
  const int64_t rows = weight.stored->rows(), tiles = (rows + kTileRows - 1) / kTileRows;
  const int64_t parts = std::min<int64_t>(kPartsAThread * std::max(weight.threads, 1), tiles);
  std::vector<std::vector<float>> magnitudes(parts);
  TERSOR_RETURN_IF_ERROR(ParallelFor(weight.threads, parts, [&](int64_t part) {
    TileReader reader(*weight.stored, whole, magnitudes[part]);
    for (int64_t tile = part * tiles / parts; tile < (part + 1) * tiles / parts; ++tile) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(weight.cancellation));
      const int64_t first = tile * kTileRows;
      TERSOR_RETURN_IF_ERROR(reader.Read(first, std::min(kTileRows, rows - first), visit));
    }
    return absl::OkStatus();
  }));
  if (weight.column_magnitudes == nullptr) return absl::OkStatus();
  std::vector<float>& largest = *weight.column_magnitudes;
  largest.assign(weight.stored->columns(), 0.0f);
  for (const std::vector<float>& part : magnitudes) {
    for (size_t i = 0; i < largest.size(); ++i) largest[i] = std::max(largest[i], part[i]);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LayerWeight::VisitTiles(absl::FunctionRef<absl::Status(int64_t first, ConstMatrixView rows)> visit) const {
  return ReadTiles(*this, nullptr, visit);
}

absl::StatusOr<WeightValues> LayerWeight::Decode() const {
  WeightValues values(stored->rows(), stored->columns());
  TERSOR_RETURN_IF_ERROR(ReadTiles(*this, values.row(0), [](int64_t, ConstMatrixView) { return absl::OkStatus(); }));
  return values;
}

}  // namespace tersor
