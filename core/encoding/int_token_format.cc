#include "core/encoding/int_token_format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr int kFewestBits = 2, kMostBits = 8;
// Values handled together by plain loops that compilers turn into vectors.
constexpr int64_t kTogether = 16;

// The nearest integer, ties to even, of a value below 2^22; no call of the library, which has no vectors.
float NearestInteger(float value) {
  constexpr float kBias = 12582912.0f;
  return (value + kBias) - kBias;
}

struct GroupRange {
  float low = 0, high = 0;
};

// Of 0 and the values below the threshold.
GroupRange RangeBelow(const float* x, int64_t count, float threshold) {
  std::array<float, kTogether> low{}, high{};
  const auto take = [&](float value, int64_t k) {
    const float seen = std::abs(value) < threshold ? value : 0.0f;
    low[k] = std::min(low[k], seen);
    high[k] = std::max(high[k], seen);
  };
  int64_t i = 0;
  for (; i + kTogether <= count; i += kTogether) {
    for (int64_t k = 0; k < kTogether; ++k) take(x[i + k], k);
  }
  for (; i < count; ++i) take(x[i], 0);
  return {*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end())};
}

}  // namespace

SymmetricScale SymmetricScaleFor(float absmax, int bits) {
  if (absmax == 0) return {};
  const float largest = static_cast<float>((1 << (bits - 1)) - 1);
  const float inverse = largest / absmax;
  // A row of nothing but the smallest numbers is zero to the format.
  if (!std::isfinite(inverse)) return {};
  return {absmax / largest, inverse};
}

absl::StatusOr<std::shared_ptr<const IntTokenFormat>> IntTokenFormat::Create(int64_t width,
                                                                             const IntTokenOptions& options) {
  if (options.bits < kFewestBits || options.bits > kMostBits) {
    return absl::InvalidArgumentError(absl::StrCat("activation bits must be 2 to 8, got ", options.bits));
  }
  if (options.group_size != -1 && (options.group_size < 1 || width % options.group_size != 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("activation groups of ", options.group_size, " do not divide ", width, " inputs"));
  }
  // Written so that NaN is refused.
  if (!(options.outlier_threshold >= 0) || !std::isfinite(options.outlier_threshold)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the outlier threshold must be at least 0, got ", options.outlier_threshold));
  }
  return std::shared_ptr<const IntTokenFormat>(new IntTokenFormat(width, options));
}

absl::StatusOr<ActivationFormatPtr> IntTokenFormat::Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                            const nlohmann::json& parameters) {
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {}));
  IntTokenOptions options;
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, IntegerParameter(parameters, "bits"));
  TERSOR_ASSIGN_OR_RETURN(options.symmetric, BooleanParameter(parameters, "symmetric"));
  TERSOR_ASSIGN_OR_RETURN(options.group_size, IntegerParameter(parameters, "group_size"));
  TERSOR_ASSIGN_OR_RETURN(const double threshold, NumberParameter(parameters, "outlier_threshold"));
  options.bits = static_cast<int>(std::clamp<int64_t>(bits, 0, kMostBits + 1));
  options.outlier_threshold = static_cast<float>(threshold);
  TERSOR_ASSIGN_OR_RETURN(std::shared_ptr<const IntTokenFormat> format, Create(width, options));
  return ActivationFormatPtr(std::move(format));
}

nlohmann::json IntTokenFormat::Parameters() const {
  return {{"bits", options_.bits},
          {"symmetric", options_.symmetric},
          {"group_size", options_.group_size},
          {"outlier_threshold", options_.outlier_threshold}};
}

void IntTokenFormat::RoundGroup(const float* x, int64_t count, float* out) const {
  const float threshold =
      options_.outlier_threshold > 0 ? options_.outlier_threshold : std::numeric_limits<float>::infinity();
  const auto [low, high] = RangeBelow(x, count, threshold);
  SymmetricScale grid;
  float zero_point = 0, first = 0, last = 0;
  if (options_.symmetric) {
    grid = SymmetricScaleFor(std::max(high, -low), options_.bits);
    last = static_cast<float>((1 << (options_.bits - 1)) - 1);
    first = -last;
  } else {
    last = static_cast<float>((1 << options_.bits) - 1);
    const float inverse = last / (high - low);
    if (std::isfinite(inverse)) grid = {(high - low) / last, inverse};
    zero_point = std::nearbyint(-low * grid.inverse);
  }
  const auto round = [&](float value) {
    // Codes of outliers are not used, however large.
    const float code = std::min(std::max(NearestInteger(value * grid.inverse) + zero_point, first), last);
    return std::abs(value) < threshold ? (code - zero_point) * grid.scale : value;
  };
  int64_t i = 0;
  for (; i + kTogether <= count; i += kTogether) {
    // `out` may be `x`: the copy tells the compiler that this does not matter.
    std::array<float, kTogether> rounded;
    for (int64_t k = 0; k < kTogether; ++k) rounded[k] = round(x[i + k]);
    std::copy(rounded.begin(), rounded.end(), out + i);
  }
  for (; i < count; ++i) out[i] = round(x[i]);
}

void IntTokenFormat::Round(const float* x, int64_t rows, float* out) const {
  const int64_t group = options_.group_size == -1 ? width_ : options_.group_size;
  for (int64_t begin = 0; begin < rows * width_; begin += group) RoundGroup(x + begin, group, out + begin);
}

}  // namespace tersor
