// What is added to a matrix of codes: float columns, sparse float values.
#ifndef TERSOR_CORE_KERNELS_ROW_TERM_H_
#define TERSOR_CORE_KERNELS_ROW_TERM_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/status.h"

namespace tersor {

// A matrix [outputs, inputs], mostly zeros. Immutable and thread-safe.
class RowTerm {
 public:
  // Outputs that lie together.
  static constexpr int64_t kTile = 16;

  virtual ~RowTerm() = default;
  virtual int64_t outputs() const = 0;
  virtual int64_t inputs() const = 0;
  // y[o] += the product with x [inputs], for the outputs o of tiles [first, first + count). An output's bits do not
  // depend on which tiles are computed together.
  virtual void AddProduct(int64_t first, int64_t count, const float* x, float* y) const = 0;
  // out[k * stride + i] += the value of input k and output 16 tile + i.
  virtual void AddValues(int64_t tile, float* out, int64_t stride) const = 0;
};

// Few whole columns, at the rising indices `columns`; `values` [outputs, columns.size()] are F16 bits.
// INVALID_ARGUMENT where sizes or indices do not fit.
absl::StatusOr<std::unique_ptr<RowTerm>> MakeColumnTerm(int64_t outputs, int64_t inputs,
                                                        std::span<const int64_t> columns,
                                                        std::span<const uint16_t> values);

// Few values in compressed rows: those of output o are entries [starts[o], starts[o + 1]), each with its column and F16
// bits. It keeps 4 bytes an entry. INVALID_ARGUMENT where sizes or columns do not fit, or there are over kMostInputs
// inputs.
struct SparseRows {
  int64_t outputs = 0;
  int64_t inputs = 0;
  std::vector<uint32_t> starts = {};
  std::vector<uint16_t> columns = {};
  std::vector<uint16_t> values = {};

  static constexpr int64_t kMostInputs = int64_t{1} << 16;
};
absl::StatusOr<std::unique_ptr<RowTerm>> MakeSparseTerm(SparseRows rows);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ROW_TERM_H_
