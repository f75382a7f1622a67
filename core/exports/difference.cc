#include "core/exports/difference.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tersor {
namespace {

constexpr float kHalfUlpF16 = 0x1p-11f;
constexpr float kHalfSubnormalF16 = 0x1p-25f;
constexpr float kHalfUlpBF16 = 0x1p-8f;
constexpr float kHalfSubnormalBF16 = 0x1p-134f;

}  // namespace

void F16Tolerance(int64_t, std::span<const float> row, std::span<float> allowed) {
  for (size_t i = 0; i < row.size(); ++i) allowed[i] = std::max(std::fabs(row[i]) * kHalfUlpF16, kHalfSubnormalF16);
}

void BF16Tolerance(int64_t, std::span<const float> row, std::span<float> allowed) {
  for (size_t i = 0; i < row.size(); ++i) allowed[i] = std::max(std::fabs(row[i]) * kHalfUlpBF16, kHalfSubnormalBF16);
}

absl::Status DifferenceTally::Compare(absl::string_view name, const EncodedTensor& expected, const EncodedTensor& found,
                                      const Tolerance& tolerance) {
  if (expected.shape() != found.shape()) {
    return absl::DataLossError(absl::StrCat("tensor \"", name, "\" reads back with shape ", ShapeString(found.shape()),
                                            " instead of ", ShapeString(expected.shape())));
  }
  const size_t columns = static_cast<size_t>(expected.columns());
  std::vector<float> left(columns), right(columns), allowed(columns, 0.0f);
  double largest = 0;
  for (int64_t row = 0; row < expected.rows(); ++row) {
    expected.DecodeRows(row, 1, left.data());
    found.DecodeRows(row, 1, right.data());
    if (tolerance) tolerance(row, left, allowed);
    for (size_t i = 0; i < columns; ++i) {
      const float difference = std::fabs(left[i] - right[i]);
      // Written so that NaN fails.
      if (!(difference <= allowed[i])) {
        return absl::DataLossError(absl::StrFormat(
            "tensor \"%s\" reads back differently: element [%d, %d] is %.9g instead of %.9g (allowed difference %.3g)",
            name, row, i, right[i], left[i], allowed[i]));
      }
      largest = std::max(largest, static_cast<double>(difference));
    }
  }
  ++(largest == 0 ? equal_ : rounded_);
  if (largest > largest_) {
    largest_ = largest;
    largest_name_ = std::string(name);
  }
  return absl::OkStatus();
}

std::string DifferenceTally::Text() const {
  std::string text = absl::StrCat(equal_, " tensors equal what was evaluated");
  if (rounded_ == 0) return text;
  return absl::StrCat(text, "; ", rounded_, " differ by rounding, at most ", absl::StrFormat("%.3g", largest_), " (",
                      largest_name_, ")");
}

}  // namespace tersor
