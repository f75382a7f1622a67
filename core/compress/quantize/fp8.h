// FP8 weights and activations.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_FP8_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_FP8_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/codebook_method.h"

namespace tersor {

// E4M3 or E5M2, a scale for each output channel (or group) and each token, unless the recipe asks for other
// activations.
class Fp8Method final : public CodebookMethod {
 public:
  static constexpr absl::string_view kName = "fp8";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  // Zero is a point of every grid.
  std::string WhyNotPruned() const override { return ""; }

 private:
  using CodebookMethod::CodebookMethod;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_FP8_H_
