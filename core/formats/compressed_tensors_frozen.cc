#include "core/formats/compressed_tensors_frozen.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

bool IsKnown(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

// PyTorch's type of a quotient.
DType Promoted(DType a, DType b) { return a == b ? a : DType::kF32; }

float Rounded(DType dtype, float value) {
  if (dtype == DType::kF16) return F16ToFloat(FloatToF16(value));
  if (dtype == DType::kBF16) return BF16ToFloat(FloatToBF16(value));
  return value;
}

// Zero points are added to the quotient in its own type.
uint8_t Code(float weight, float scale, int zero, int bits, DType dtype) {
  const int middle = 1 << (bits - 1);
  const float scaled = Rounded(dtype, Rounded(dtype, weight / scale) + static_cast<float>(zero));
  // Zero by zero is no number.
  const float sound = std::isnan(scaled) ? 0 : scaled;
  const float clamped = std::clamp(sound, static_cast<float>(-middle), static_cast<float>(middle - 1));
  return static_cast<uint8_t>(static_cast<int>(std::nearbyint(clamped)) + middle);
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> FrozenCodes(const Tensor& weight, const IntParts& parts) {
  const Tensor& scales = parts.scales;
  if (!IsKnown(weight.dtype()) || !IsKnown(scales.dtype()) || scales.shape().size() != 2 ||
      scales.shape()[0] != parts.rows || weight.shape() != Shape{parts.rows, parts.columns}) {
    return absl::InvalidArgumentError(absl::StrCat("weight is ", DTypeName(weight.dtype()), " ",
                                                   ShapeString(weight.shape()), ", weight_scale ",
                                                   DTypeName(scales.dtype()), " ", ShapeString(scales.shape())));
  }
  const int64_t groups = scales.shape()[1];
  const int64_t size = (parts.columns + groups - 1) / groups;
  std::vector<float> values(static_cast<size_t>(weight.elements())), factors(static_cast<size_t>(scales.elements()));
  TERSOR_RETURN_IF_ERROR(DecodeToFloat(weight, 0, weight.elements(), values.data()));
  TERSOR_RETURN_IF_ERROR(DecodeToFloat(scales, 0, scales.elements(), factors.data()));
  const DType dtype = Promoted(weight.dtype(), scales.dtype());
  std::vector<uint8_t> codes(values.size());
  for (int64_t row = 0; row < parts.rows; ++row) {
    for (int64_t column = 0; column < parts.columns; ++column) {
      const int64_t group = parts.group_index.empty() ? column / size : parts.group_index[column];
      if (group < 0 || group >= groups) {
        return absl::InvalidArgumentError(absl::StrCat("weight_g_idx puts input ", column, " into group ", group));
      }
      const int64_t at = row * groups + group;
      const int zero = parts.zero_points.empty() ? 0 : parts.zero_points[at] - (1 << (parts.bits - 1));
      codes[row * parts.columns + column] =
          Code(values[row * parts.columns + column], factors[at], zero, parts.bits, dtype);
    }
  }
  return codes;
}

}  // namespace tersor
