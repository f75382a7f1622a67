// SmoothQuant (arXiv 2211.10438).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_SMOOTHQUANT_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_SMOOTHQUANT_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// Moves the difficulty of quantizing inputs into the weights, channel by channel, then rounds both to integers.
class SmoothQuantMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "smoothquant";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::set<Statistic> preparation_statistics() const override { return {Statistic::kAbsMax}; }
  bool scales_linears() const override { return !options_.norms_only; }
  absl::StatusOr<SegmentOutcome> PrepareBlock(const BlockTask& task) const override;

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.grid.group_size; }

 private:
  struct Options {
    double alpha = 0.5;
    GridOptions grid = {.bits = 8, .group_size = -1};
    bool norms_only = true;
  };
  SmoothQuantMethod(const Options& options, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options) {}

  Options options_;
};

// Equation 4: input^alpha / weight^(1 - alpha); 1 where either has no magnitude to balance.
std::vector<float> SmoothingScales(const std::vector<float>& input_absmax, const std::vector<float>& weight_absmax,
                                   double alpha);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_SMOOTHQUANT_H_
