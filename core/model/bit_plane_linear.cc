#include "core/model/bit_plane_linear.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/bit_plane_tensor.h"
#include "core/kernels/bit_plane_matrix.h"
#include "core/model/encoded_linear.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

BitPlaneShape ShapeOf(const WeightRows& rows, const BitPlaneTensor& weight) {
  return {rows.outputs, weight.columns(), weight.planes(), weight.group_size()};
}

}  // namespace

bool BitPlaneLinearFits(const WeightRows& rows, const ComputeOptions& options) {
  if (options.linears == LinearCompute::kDecoded) return false;
  const auto* weight = dynamic_cast<const BitPlaneTensor*>(rows.weight);
  return weight != nullptr && BitPlaneMatrix::Supports(ShapeOf(rows, *weight));
}

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeBitPlaneLinear(const WeightRows& rows,
                                                                 const ComputeOptions& options) {
  const auto& weight = dynamic_cast<const BitPlaneTensor&>(*rows.weight);
  const int planes = weight.planes();
  const auto read = [&](int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales) {
    std::fill(codes.begin(), codes.end(), uint8_t{0});
    for (int plane = 0; plane < planes; ++plane) {
      const uint8_t* signs = weight.Signs(plane, rows.first + row);
      for (size_t i = 0; i < codes.size(); ++i) codes[i] |= (signs[i / 8] >> (i % 8) & 1) << plane;
    }
    for (size_t i = 0; i < scales.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      // Stored as F16: exact.
      scales[i] = FloatToF16(weight.Scale(rows.first + row, at / planes, static_cast<int>(at % planes)));
    }
  };
  TERSOR_ASSIGN_OR_RETURN(BitPlaneMatrix matrix, BitPlaneMatrix::Pack(ShapeOf(rows, weight), options.threads, read));
  return std::unique_ptr<LinearKernel>(std::make_unique<EncodedLinear<BitPlaneMatrix>>(
      std::move(matrix), absl::StrCat(planes, " bit planes x float32"), options));
}

}  // namespace tersor
