#include "core/exports/dense_values.h"

#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

bool Overflows(float value, float rounded) { return std::isfinite(value) && !std::isfinite(rounded); }

template <typename Convert, typename Back>
absl::Status RoundRow16(absl::string_view name, absl::string_view type, std::span<const float> row, std::byte* out,
                        Convert convert, Back back) {
  for (size_t i = 0; i < row.size(); ++i) {
    const uint16_t bits = convert(row[i]);
    if (Overflows(row[i], back(bits))) {
      return absl::OutOfRangeError(
          absl::StrCat("parameter \"", name, "\" has the value ", row[i], ", which is too large for ", type));
    }
    std::memcpy(out + i * sizeof(bits), &bits, sizeof(bits));
  }
  return absl::OkStatus();
}

}  // namespace

void DenseFit::Add(const DenseFit& other) {
  exact_f16 &= other.exact_f16;
  exact_bf16 &= other.exact_bf16;
  finite_f16 &= other.finite_f16;
}

DenseFit FitOf(const EncodedTensor& tensor) {
  DenseFit fit;
  std::vector<float> row(static_cast<size_t>(tensor.columns()));
  for (int64_t r = 0; r < tensor.rows(); ++r) {
    tensor.DecodeRows(r, 1, row.data());
    for (const float value : row) {
      const float f16 = F16ToFloat(FloatToF16(value));
      fit.exact_f16 &= f16 == value;
      fit.exact_bf16 &= BF16ToFloat(FloatToBF16(value)) == value;
      fit.finite_f16 &= !Overflows(value, f16);
    }
  }
  return fit;
}

absl::Status RoundRow(DType dtype, absl::string_view name, std::span<const float> row, std::vector<std::byte>& bytes) {
  bytes.resize(row.size() * DTypeSize(dtype));
  switch (dtype) {
    case DType::kF32:
      std::memcpy(bytes.data(), row.data(), bytes.size());
      return absl::OkStatus();
    case DType::kF16:
      return RoundRow16(name, "F16", row, bytes.data(), FloatToF16, F16ToFloat);
    case DType::kBF16:
      return RoundRow16(name, "BF16", row, bytes.data(), FloatToBF16, BF16ToFloat);
    default:
      return absl::InternalError(absl::StrCat("cannot round to ", DTypeName(dtype)));
  }
}

absl::Status RoundTo(DType dtype, absl::string_view name, const EncodedTensor& tensor, const ByteSink& sink) {
  std::vector<float> row(static_cast<size_t>(tensor.columns()));
  std::vector<std::byte> bytes;
  for (int64_t r = 0; r < tensor.rows(); ++r) {
    tensor.DecodeRows(r, 1, row.data());
    TERSOR_RETURN_IF_ERROR(RoundRow(dtype, name, row, bytes));
    TERSOR_RETURN_IF_ERROR(sink(bytes));
  }
  return absl::OkStatus();
}

}  // namespace tersor
