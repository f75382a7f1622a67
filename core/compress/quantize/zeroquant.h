// ZeroQuant's quantization scheme (arXiv 2206.01861).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_ZEROQUANT_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_ZEROQUANT_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// Group-wise weights (section 4.1) and int8 activations with a scale found for each token (section 4.1, token-wise).
class ZeroQuantMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "zeroquant";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  // Zero is a point of every grid.
  std::string WhyNotPruned() const override { return ""; }

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return grid_.group_size; }

 private:
  ZeroQuantMethod(const GridOptions& grid, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), grid_(grid) {}

  GridOptions grid_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_ZEROQUANT_H_
