// Inputs as integers whose scale is found for each token when it arrives.
#ifndef TERSOR_CORE_ENCODING_INT_TOKEN_FORMAT_H_
#define TERSOR_CORE_ENCODING_INT_TOKEN_FORMAT_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/activation_format.h"

namespace tersor {

struct IntTokenOptions {
  // 2 to 8.
  int bits = 8;
  // Symmetric: codes -(2^(b-1) - 1) .. 2^(b-1) - 1. Else 0 .. 2^b - 1 with a zero point, over a range that holds 0.
  bool symmetric = true;
  // Neighbouring inputs of a token that share a scale (ZeroQuant, arXiv 2206.01861, section 4.1); divides the width.
  // -1: the whole token.
  int64_t group_size = -1;
  // Inputs of at least this magnitude stay in float, and the rest sets the scale (LLM.int8(), arXiv 2208.07339, section
  // 3.2, decided for each token alone, so that a token's result does not depend on its neighbours). 0: none does.
  float outlier_threshold = 0;

  bool operator==(const IntTokenOptions&) const = default;
};

// Parameters {"bits": 8, "symmetric": true, "group_size": -1, "outlier_threshold": 0}; no fields.
class IntTokenFormat final : public ActivationFormat {
 public:
  static constexpr absl::string_view kName = "int-token";

  static absl::StatusOr<std::shared_ptr<const IntTokenFormat>> Create(int64_t width, const IntTokenOptions& options);
  static absl::StatusOr<ActivationFormatPtr> Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view name() const override { return kName; }
  int64_t width() const override { return width_; }
  double bits() const override { return options_.bits; }
  void Round(const float* x, int64_t rows, float* out) const override;
  std::vector<EncodedField> Fields() const override { return {}; }
  nlohmann::json Parameters() const override;
  const IntTokenOptions& options() const { return options_; }

 private:
  IntTokenFormat(int64_t width, const IntTokenOptions& options) : width_(width), options_(options) {}
  void RoundGroup(const float* x, int64_t count, float* out) const;

  const int64_t width_;
  const IntTokenOptions options_;
};

// The grid of a symmetric group whose largest magnitude is `absmax`: code = nearest even (x * inverse), value = code *
// scale. Both are 0 where absmax is.
struct SymmetricScale {
  float scale = 0;
  float inverse = 0;
};
SymmetricScale SymmetricScaleFor(float absmax, int bits);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_INT_TOKEN_FORMAT_H_
