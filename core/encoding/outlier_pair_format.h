// Inputs as OliVe's outlier-victim pairs.
#ifndef TERSOR_CORE_ENCODING_OUTLIER_PAIR_FORMAT_H_
#define TERSOR_CORE_ENCODING_OUTLIER_PAIR_FORMAT_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/outlier_pairs.h"

namespace tersor {

// Pairs of neighbouring inputs (outlier_pairs.h) on one scale that calibration fixed. Parameters {"bits": 4, "scale":
// 0.05}; no fields.
class OutlierPairFormat final : public ActivationFormat {
 public:
  static constexpr absl::string_view kName = "outlier-pairs";

  // `width` is even, `scale` finite and not negative.
  static absl::StatusOr<ActivationFormatPtr> Create(int64_t width, int bits, float scale);
  static absl::StatusOr<ActivationFormatPtr> Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view name() const override { return kName; }
  int64_t width() const override { return width_; }
  double bits() const override { return pairs_.bits(); }
  void Round(const float* x, int64_t rows, float* out) const override;
  std::vector<EncodedField> Fields() const override { return {}; }
  nlohmann::json Parameters() const override;
  const OutlierPairs& pairs() const { return pairs_; }
  float scale() const { return scale_; }

 private:
  OutlierPairFormat(int64_t width, int bits, float scale) : width_(width), pairs_(bits), scale_(scale) {}

  const int64_t width_;
  const OutlierPairs pairs_;
  const float scale_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_OUTLIER_PAIR_FORMAT_H_
