#include "tests/core/exports/quantized_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

struct Grid {
  uint16_t scale;
  int zero_point;
};

Grid GridOf(const float* values, int64_t count, int bits, bool symmetric) {
  const int top = (1 << bits) - 1;
  const auto [low, high] = std::minmax_element(values, values + count);
  if (symmetric) {
    const float largest = std::max(std::fabs(*low), std::fabs(*high));
    return {FloatToF16(largest / (0.5f * static_cast<float>(top))), 1 << (bits - 1)};
  }
  const float from = std::min(*low, 0.0f), to = std::max(*high, 0.0f);
  const uint16_t scale = FloatToF16((to - from) / static_cast<float>(top));
  return {scale, std::clamp(static_cast<int>(std::lround(-from / F16ToFloat(scale))), 0, top)};
}

}  // namespace

EncodedTensorPtr RoundToGroups(const EncodedTensor& tensor, int bits, int64_t group_size, bool symmetric) {
  const std::vector<float> values = tensor.Decode();
  std::vector<uint8_t> codes(values.size()), zero_points;
  std::vector<uint16_t> scales;
  for (size_t begin = 0; begin < values.size(); begin += group_size) {
    const Grid grid = GridOf(values.data() + begin, group_size, bits, symmetric);
    scales.push_back(grid.scale);
    zero_points.push_back(static_cast<uint8_t>(grid.zero_point));
    for (int64_t i = 0; i < group_size; ++i) {
      const int code = static_cast<int>(std::lround(values[begin + i] / F16ToFloat(grid.scale))) + grid.zero_point;
      codes[begin + i] = static_cast<uint8_t>(std::clamp(code, 0, (1 << bits) - 1));
    }
  }
  if (symmetric) zero_points.clear();
  return *GroupIntTensor::Create({tensor.rows(), tensor.columns(), bits, group_size}, codes, scales, zero_points);
}

EncodedTensorPtr RoundToBook(const EncodedTensor& tensor, const CodeBook& book, int64_t group_size, ScaleForm scales) {
  const std::vector<float> values = tensor.Decode();
  const int64_t group = group_size == -1 ? tensor.columns() : group_size, groups = tensor.columns() / group;
  std::vector<float> wanted(tensor.rows() * groups);
  for (size_t i = 0; i < values.size(); ++i) {
    wanted[i / group] = std::max(wanted[i / group], std::fabs(values[i]) / book.largest());
  }
  GroupScales stored = *GroupScales::Encode(scales, tensor.rows(), groups, wanted);
  std::vector<uint8_t> codes(values.size());
  for (size_t i = 0; i < values.size(); ++i) codes[i] = book.Nearest(values[i] / stored.values()[i / group]);
  return *CodebookTensor::Create({tensor.rows(), tensor.columns(), &book, group}, codes, std::move(stored));
}

void QuantizeBlocks(Model& model, int bits, int64_t group_size, bool symmetric) {
  for (auto& [name, tensor] : model.parameters) {
    if (absl::EndsWith(name, "_proj.weight")) tensor = RoundToGroups(*tensor, bits, group_size, symmetric);
  }
}

}  // namespace tersor
