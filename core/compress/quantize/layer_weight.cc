#include "core/compress/quantize/layer_weight.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/tensor/vectorized.h"

namespace tersor {
namespace {

// Zero times an infinity or NaN is NaN, and stays it.
struct AllFinite {
  TERSOR_INLINE bool Run(const float* values, int64_t count) {
    constexpr int64_t kSums = 32;
    std::array<float, kSums> sums{};
    int64_t i = 0;
    for (; i + kSums <= count; i += kSums) {
      for (int64_t k = 0; k < kSums; ++k) sums[k] += values[i + k] * 0;
    }
    for (; i < count; ++i) sums[0] += values[i] * 0;
    return std::all_of(sums.begin(), sums.end(), [](float sum) { return sum == 0; });
  }
};

// `rows` are the layer's from row `first` on.
absl::Status CheckFinite(int64_t first, ConstMatrixView rows) {
  for (int64_t i = 0; i < rows.rows; ++i) {
    const float *begin = rows.row(i), *end = begin + rows.columns;
    if (RunVectorized<AllFinite>(begin, rows.columns)) continue;
    const float* at = std::find_if_not(begin, end, [](float value) { return std::isfinite(value); });
    return absl::InvalidArgumentError(
        absl::StrCat("weight [", first + i, ", ", at - begin, "] is ", *at, ", not a finite number"));
  }
  return absl::OkStatus();
}

// Calls visit(first, count) for each tile.
absl::Status ForTiles(const LayerWeight& weight, absl::FunctionRef<absl::Status(int64_t first, int64_t count)> visit) {
  const int64_t rows = weight.stored->rows();
  return ParallelFor(weight.threads, (rows + kTileRows - 1) / kTileRows, [&](int64_t tile) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(weight.cancellation));
    const int64_t first = tile * kTileRows;
    return visit(first, std::min(kTileRows, rows - first));
  });
}

}  // namespace

absl::Status LayerWeight::VisitTiles(absl::FunctionRef<absl::Status(int64_t first, ConstMatrixView rows)> visit) const {
  const int64_t columns = stored->columns();
  return ForTiles(*this, [&](int64_t first, int64_t count) {
    ScratchBuffer values(count * columns);
    const ConstMatrixView rows(values.data(), count, columns);
    stored->DecodeRows(first, count, values.data());
    TERSOR_RETURN_IF_ERROR(CheckFinite(first, rows));
    return visit(first, rows);
  });
}

absl::StatusOr<WeightValues> LayerWeight::Decode() const {
  WeightValues values(stored->rows(), stored->columns());
  TERSOR_RETURN_IF_ERROR(ForTiles(*this, [&](int64_t first, int64_t count) {
    stored->DecodeRows(first, count, values.row(first));
    return CheckFinite(first, values.view().Rows(first, count));
  }));
  return values;
}

}  // namespace tersor
