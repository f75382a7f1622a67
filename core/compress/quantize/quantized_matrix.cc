#include "core/compress/quantize/quantized_matrix.h"

#include "core/encoding/group_int_tensor.h"
#include "core/tensor/float16.h"

namespace tersor {

QuantizedMatrix::QuantizedMatrix(int64_t rows, int64_t columns, const GridOptions& options)
    : rows(rows), columns(columns), options(options), codes(rows * columns), grids(rows * groups()) {}

float QuantizedMatrix::Value(int64_t row, int64_t column) const {
  const GridCandidate& grid = grids[row * groups() + column / options.GroupColumns(columns)];
  return (static_cast<float>(codes[row * columns + column]) - grid.zero_point) * grid.scale;
}

std::vector<float> QuantizedMatrix::Decode() const {
  const int64_t group = options.GroupColumns(columns);
  std::vector<float> values(codes.size());
  for (size_t g = 0; g < grids.size(); ++g) {
    const int64_t first = static_cast<int64_t>(g) * group;
    for (int64_t i = first; i < first + group; ++i) {
      values[i] = (static_cast<float>(codes[i]) - grids[g].zero_point) * grids[g].scale;
    }
  }
  return values;
}

absl::StatusOr<EncodedTensorPtr> QuantizedMatrix::Encode() const {
  std::vector<uint16_t> scales;
  std::vector<uint8_t> zero_points;
  for (const GridCandidate& grid : grids) {
    scales.push_back(FloatToF16(grid.scale));
    if (!options.symmetric) zero_points.push_back(static_cast<uint8_t>(grid.zero_point));
  }
  return GroupIntTensor::Create({rows, columns, options.bits, options.group_size}, codes, scales, zero_points);
}

}  // namespace tersor
