// GPTQ (arXiv 2210.17323).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_GPTQ_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_GPTQ_H_

#include <set>
#include <string>
#include <vector>

#include "core/compress/method.h"
#include "core/compress/method_description.h"
#include "core/compress/quantize/quantize_config.h"

namespace tersor {

// Rounds weights column by column and pushes each error into the columns not yet rounded, so that the layer's outputs
// on the calibration inputs change least. See feedback_system.h for the algebra.
class GptqMethod final : public Method {
 public:
  static constexpr absl::string_view kName = "gptq";
  static MethodDescription Describe();

  explicit GptqMethod(const GptqOptions& options) : options_(options) {}
  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override;
  // Weights that were left out stay zero (masked_rounding.h).
  std::string WhyNotPruned() const override;
  PlannedEncoding Encoding(const LinearLayer& layer) const override;
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;
  LayerCost Cost(const LinearLayer& layer) const override;
  // FAILED_PRECONDITION names the layers whose second moment cannot be factored, where the policy is to fail.
  absl::StatusOr<SegmentOutcome> Apply(const SegmentTask& task) const override;

 private:
  // Where weights of some layer are left out.
  absl::StatusOr<SegmentOutcome> ApplyPruned(const SegmentTask& task) const;

  GptqOptions options_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_GPTQ_H_
