// LLM.int8() (arXiv 2208.07339).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_LLM_INT8_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_LLM_INT8_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// Vector-wise int8 (section 3.1): a scale an output channel and a scale a token; inputs of at least the threshold are
// split off and multiplied in float (section 3.2), decided for each token alone.
class LlmInt8Method final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "llm_int8";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  // Zero is a point of every grid.
  std::string WhyNotPruned() const override { return ""; }

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return -1; }

 private:
  explicit LlmInt8Method(ActivationPlan activations) : LayerwiseMethod(std::move(activations)) {}
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_LLM_INT8_H_
