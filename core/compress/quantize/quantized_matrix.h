// A matrix on its integer grid, unpacked: what rounding methods write and GroupIntTensor packs.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZED_MATRIX_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZED_MATRIX_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// Different rows may be written by different threads.
struct QuantizedMatrix {
  int64_t rows = 0;
  int64_t columns = 0;
  GridOptions options;
  // [rows, columns], unsigned.
  std::vector<uint8_t> codes;
  // [rows, groups].
  std::vector<GridCandidate> grids;

  QuantizedMatrix(int64_t rows, int64_t columns, const GridOptions& options);
  int64_t groups() const { return columns / options.GroupColumns(columns); }
  float Value(int64_t row, int64_t column) const;
  // All values, row-major.
  std::vector<float> Decode() const;
  absl::StatusOr<EncodedTensorPtr> Encode() const;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZED_MATRIX_H_
