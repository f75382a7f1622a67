#include "core/encoding/int_token_format.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr int kFewestBits = 2, kMostBits = 8;

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
  float low = 0, high = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (!(std::abs(x[i]) < threshold)) continue;
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
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
  for (int64_t i = 0; i < count; ++i) {
    const bool outlier = !(std::abs(x[i]) < threshold);
    const float code = std::clamp(std::nearbyint(x[i] * grid.inverse) + zero_point, first, last);
    out[i] = outlier ? x[i] : (code - zero_point) * grid.scale;
  }
}

void IntTokenFormat::Round(const float* x, int64_t rows, float* out) const {
  const int64_t group = options_.group_size == -1 ? width_ : options_.group_size;
  for (int64_t begin = 0; begin < rows * width_; begin += group) RoundGroup(x + begin, group, out + begin);
}

}  // namespace tersor
