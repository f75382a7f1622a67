// Inputs as 8- or 4-bit floats whose scale is found for each token when it arrives.
#ifndef TERSOR_CORE_ENCODING_FLOAT_TOKEN_FORMAT_H_
#define TERSOR_CORE_ENCODING_FLOAT_TOKEN_FORMAT_H_

#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/code_book.h"
#include "core/encoding/group_scales.h"

namespace tersor {

struct FloatTokenOptions {
  const CodeBook* book = nullptr;
  // Neighbouring inputs of a token that share a scale; divides the width. -1: the whole token.
  int64_t group_size = -1;
  // kF32: the largest magnitude becomes the book's largest value. kE8m0: powers of two by OCP MX's rule. kE4m3: E4M3
  // numbers times a factor of the token (NVFP4).
  ScaleForm scales = ScaleForm::kF32;
};

// Parameters {"book": "e4m3", "group_size": -1, "scales": "f32"}; no fields. MXFP8 is e4m3, 32, e8m0.
class FloatTokenFormat final : public ActivationFormat {
 public:
  static constexpr absl::string_view kName = "float-token";

  static absl::StatusOr<std::shared_ptr<const FloatTokenFormat>> Create(int64_t width,
                                                                        const FloatTokenOptions& options);
  static absl::StatusOr<ActivationFormatPtr> Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view name() const override { return kName; }
  int64_t width() const override { return width_; }
  double bits() const override { return options_.book->bits(); }
  void Round(const float* x, int64_t rows, float* out) const override;
  std::vector<EncodedField> Fields() const override { return {}; }
  nlohmann::json Parameters() const override;
  const FloatTokenOptions& options() const { return options_; }
  // The factor of a token whose largest magnitude is `absmax`: of kE4m3 alone, else 0.
  float TokenScale(float absmax) const;
  // The scale of a group as the form stores it.
  float StoredScale(float absmax, float token_scale) const;

 private:
  FloatTokenFormat(int64_t width, const FloatTokenOptions& options) : width_(width), options_(options) {}
  void RoundToken(const float* x, float* out) const;

  const int64_t width_;
  const FloatTokenOptions options_;
};

// OCP MX's power of two (version 1.0, section 6.3): 2^(floor(log2 absmax) - the book's largest exponent); the largest
// values may saturate. 0 of 0.
float MxScale(float absmax, const CodeBook& book);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_FLOAT_TOKEN_FORMAT_H_
