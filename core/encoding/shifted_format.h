// Inputs that are centred before they are quantized.
#ifndef TERSOR_CORE_ENCODING_SHIFTED_FORMAT_H_
#define TERSOR_CORE_ENCODING_SHIFTED_FORMAT_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/activation_format.h"

namespace tersor {

// x becomes z + inner(x - z), z a constant of each input: Outlier Suppression+'s channel-wise shift (arXiv 2304.09145,
// section 4.1). A norm without a bias (RMSNorm) cannot take the shift, so the format does; what z adds to the outputs
// is W z, a bias. Field "shifts" F32 [width] and the inner format's under "inner."; parameters {"inner": {"format":
// ..., "parameters": {...}}}.
class ShiftedFormat final : public ActivationFormat {
 public:
  static constexpr absl::string_view kName = "shifted";

  // INVALID_ARGUMENT where the inner format is shifted too or of another width.
  static absl::StatusOr<ActivationFormatPtr> Create(std::vector<float> shifts, ActivationFormatPtr inner);
  static absl::StatusOr<ActivationFormatPtr> Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view name() const override { return kName; }
  int64_t width() const override { return inner_->width(); }
  double bits() const override { return inner_->bits(); }
  void Round(const float* x, int64_t rows, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;
  const std::vector<float>& shifts() const { return values_; }
  const ActivationFormat& inner() const { return *inner_; }

 private:
  ShiftedFormat(Tensor shifts, std::vector<float> values, ActivationFormatPtr inner)
      : shifts_(std::move(shifts)), values_(std::move(values)), inner_(std::move(inner)) {}
  static absl::StatusOr<ActivationFormatPtr> Build(Tensor shifts, ActivationFormatPtr inner);

  const Tensor shifts_;
  const std::vector<float> values_;
  const ActivationFormatPtr inner_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_SHIFTED_FORMAT_H_
