// Statistics on their way into files and back, and under scaled inputs.
#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/calibration/input_statistics.h"

namespace tersor {
namespace {

// Cannot fail: sizes come from the values themselves.
template <typename T>
Tensor Stored(DType dtype, std::vector<T> values) {
  const int64_t count = static_cast<int64_t>(values.size());
  return *Tensor::Own(dtype, {count}, std::move(values));
}

absl::Status CheckValues(Statistic statistic, const Tensor& values, DType dtype, int64_t count) {
  if (values.dtype() == dtype && values.elements() == count) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(StatisticName(statistic), " holds ", DTypeName(values.dtype()), " ",
                                                 ShapeString(values.shape()), ", expected ", count, " of ",
                                                 DTypeName(dtype)));
}

template <typename T>
void CopyTo(const Tensor& values, std::vector<T>& target) {
  target.resize(values.bytes().size() / sizeof(T));
  std::memcpy(target.data(), values.bytes().data(), values.bytes().size());
}

template <typename T>
void Divide(std::vector<T>& values, const std::vector<float>& scales) {
  for (size_t i = 0; i < values.size(); ++i) values[i] /= static_cast<T>(scales[i % scales.size()]);
}

}  // namespace

template <typename Self>
auto* InputStatistics::Floats(Self& self, Statistic statistic) {
  return statistic == Statistic::kAbsMax ? &self.absmax_ : statistic == Statistic::kSample ? &self.sample_ : nullptr;
}

template <typename Self>
auto* InputStatistics::Doubles(Self& self, Statistic statistic) {
  return statistic == Statistic::kNorm            ? &self.squares_
         : statistic == Statistic::kMeanMagnitude ? &self.magnitudes_
                                                  : nullptr;
}

Tensor InputStatistics::Values(Statistic statistic) const {
  if (const auto* floats = Floats(*this, statistic); floats != nullptr) return Stored(DType::kF32, *floats);
  if (const auto* doubles = Doubles(*this, statistic); doubles != nullptr) return Stored(DType::kF64, *doubles);
  std::vector<float> values;
  if (statistic == Statistic::kRange) {
    values = minima_;
    values.insert(values.end(), maxima_.begin(), maxima_.end());
  } else {
    const ConstMatrixView moment = second_moment();
    values.reserve(width_ * (width_ + 1) / 2);
    for (int64_t i = 0; i < width_; ++i) values.insert(values.end(), moment.row(i), moment.row(i) + i + 1);
  }
  return Stored(DType::kF32, std::move(values));
}

absl::Status InputStatistics::Restore(Statistic statistic, const Tensor& values) {
  if (auto* floats = Floats(*this, statistic); floats != nullptr) {
    const bool sample = statistic == Statistic::kSample;
    const int64_t rows = sample ? values.elements() / width_ : 1;
    TERSOR_RETURN_IF_ERROR(CheckValues(statistic, values, DType::kF32, std::max<int64_t>(rows, 1) * width_));
    CopyTo(values, *floats);
    return absl::OkStatus();
  }
  if (auto* doubles = Doubles(*this, statistic); doubles != nullptr) {
    TERSOR_RETURN_IF_ERROR(CheckValues(statistic, values, DType::kF64, width_));
    CopyTo(values, *doubles);
    return absl::OkStatus();
  }
  std::vector<float> floats;
  if (statistic == Statistic::kRange) {
    TERSOR_RETURN_IF_ERROR(CheckValues(statistic, values, DType::kF32, 2 * width_));
    CopyTo(values, floats);
    minima_.assign(floats.begin(), floats.begin() + width_);
    maxima_.assign(floats.begin() + width_, floats.end());
    return absl::OkStatus();
  }
  TERSOR_RETURN_IF_ERROR(CheckValues(statistic, values, DType::kF32, width_ * (width_ + 1) / 2));
  CopyTo(values, floats);
  const int64_t stride = second_moment().stride;
  for (int64_t i = 0; i < width_; ++i) {
    std::copy_n(floats.data() + i * (i + 1) / 2, i + 1, second_moment_.data() + i * stride);
  }
  return absl::OkStatus();
}

InputStatistics InputStatistics::DividedBy(const std::vector<float>& scales) const {
  InputStatistics divided = *this;
  divided.wanted_.erase(Statistic::kDenseMoment);
  divided.dense_moment_.clear();
  Divide(divided.absmax_, scales);
  Divide(divided.minima_, scales);
  Divide(divided.maxima_, scales);
  Divide(divided.magnitudes_, scales);
  Divide(divided.squares_, scales);
  Divide(divided.squares_, scales);
  Divide(divided.sample_, scales);
  const int64_t stride = second_moment().stride;
  for (int64_t i = 0; !divided.second_moment_.empty() && i < width_; ++i) {
    float* row = divided.second_moment_.data() + i * stride;
    for (int64_t j = 0; j <= i; ++j) row[j] /= scales[i] * scales[j];
  }
  return divided;
}

}  // namespace tersor
