// A layer's weight as encoders read it.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_LAYER_WEIGHT_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_LAYER_WEIGHT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/compress/method.h"
#include "core/encoding/encoded_tensor.h"
#include "core/kernels/grid_rounding.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// Rows that tasks decode and work on together: few enough to stay in a core's cache, and a panel of grid_rounding.h.
inline constexpr int64_t kTileRows = kPanelRows;

// A matrix of floats that it owns.
class WeightValues {
 public:
  // Uninitialised.
  WeightValues(int64_t rows, int64_t columns)
      : values_(std::make_unique_for_overwrite<float[]>(rows * columns)), rows_(rows), columns_(columns) {}
  float* row(int64_t i) { return values_.get() + i * columns_; }
  ConstMatrixView view() const { return {values_.get(), rows_, columns_}; }

 private:
  std::unique_ptr<float[]> values_;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
};

struct LayerWeight {
  // Null where nothing depends on which one it is.
  const LinearLayer* layer = nullptr;
  const EncodedTensor* stored = nullptr;
  // Of the segment's input; may be null.
  const InputStatistics* statistics = nullptr;
  int threads = 1;
  const CancellationToken* cancellation = nullptr;
  // Receives the largest magnitude of each column when the weight is read; may be null.
  std::vector<float>* column_magnitudes = nullptr;

  // Calls visit(first row, decoded rows) for each kTileRows rows (fewer at the end), on `threads` threads in any order.
  // INVALID_ARGUMENT names the first weight that is not a finite number; an error of `visit` is the answer too, as is
  // CANCELLED.
  absl::Status VisitTiles(absl::FunctionRef<absl::Status(int64_t first, ConstMatrixView rows)> visit) const;
  // All rows, decoded. INVALID_ARGUMENT as above.
  absl::StatusOr<WeightValues> Decode() const;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_LAYER_WEIGHT_H_
