#include "core/encoding/outlier_pair_format.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "nlohmann/json.hpp"

namespace tersor {

absl::StatusOr<ActivationFormatPtr> OutlierPairFormat::Create(int64_t width, int bits, float scale) {
  if (bits != 4 && bits != 8) {
    return absl::InvalidArgumentError(absl::StrCat("outlier-victim pairs have 4 or 8 bits, got ", bits));
  }
  if (width % 2 != 0) return absl::InvalidArgumentError(absl::StrCat(width, " inputs do not make pairs"));
  if (!std::isfinite(scale) || scale < 0) {
    return absl::InvalidArgumentError(absl::StrCat("the scale of inputs is ", scale));
  }
  return ActivationFormatPtr(new OutlierPairFormat(width, bits, scale));
}

absl::StatusOr<ActivationFormatPtr> OutlierPairFormat::Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                               const nlohmann::json& parameters) {
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {}));
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, IntegerParameter(parameters, "bits"));
  TERSOR_ASSIGN_OR_RETURN(const double scale, NumberParameter(parameters, "scale"));
  return Create(width, bits == 4 || bits == 8 ? static_cast<int>(bits) : 0, static_cast<float>(scale));
}

void OutlierPairFormat::Round(const float* x, int64_t rows, float* out) const {
  const float inverse = scale_ > 0 && std::isfinite(1 / scale_) ? 1 / scale_ : 0;
  for (int64_t i = 0; i < rows * width_; i += 2) {
    const float pair[2] = {x[i] * inverse, x[i + 1] * inverse};
    uint8_t codes[2];
    pairs_.Encode(pair, codes);
    pairs_.Decode(codes, out + i);
    out[i] *= scale_;
    out[i + 1] *= scale_;
  }
}

nlohmann::json OutlierPairFormat::Parameters() const { return {{"bits", pairs_.bits()}, {"scale", scale_}}; }

}  // namespace tersor
