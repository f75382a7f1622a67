// NF4 (QLoRA, arXiv 2305.14314, section 3).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_NF4_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_NF4_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/codebook_rounding.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// Each group is divided by its largest magnitude and rounded to the nearest of 16 quantiles of a normal distribution.
class Nf4Method final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "nf4";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override { return CodebookEncoding(options_, layer); }
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.group_size; }

 private:
  Nf4Method(const CodebookOptions& options, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options) {}

  CodebookOptions options_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_NF4_H_
