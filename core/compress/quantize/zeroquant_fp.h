// ZeroQuant-FP (arXiv 2307.09782).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_ZEROQUANT_FP_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_ZEROQUANT_FP_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/codebook_rounding.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// FP4 (or FP8) weights in groups, FP8 inputs for each token; scales free, powers of two (M1) or powers of two times a
// factor of the row (M2); the error's best low-rank approximation, in E4M3 (LoRC), as a second term.
class ZeroQuantFpMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "zeroquant_fp";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;
  LayerCost Cost(const LinearLayer& layer) const override;

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.group_size; }
  double OperationsAWeight() const override { return CodebookOperations(options_); }

 private:
  ZeroQuantFpMethod(const CodebookOptions& options, int64_t rank, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options), rank_(rank) {}

  CodebookOptions options_;
  int64_t rank_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_ZEROQUANT_FP_H_
