// AWQ: activation-aware weight quantization (arXiv 2306.00978).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_AWQ_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_AWQ_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/channel_scaling.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// Scales up the channels whose inputs are large, so that their weights lose less to rounding: by s_X^alpha, s_X the
// mean magnitude of an input, alpha searched. Then the range of each group of weights is clipped. Both searches judge
// by the outputs' error, from the second moment of the inputs alone, so that one forward pass serves all of them.
class AwqMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "awq";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override;
  std::set<Statistic> preparation_statistics() const override {
    return {Statistic::kSecondMoment, Statistic::kMeanMagnitude};
  }
  bool scales_linears() const override { return true; }
  LayerCost Cost(const LinearLayer& layer) const override;
  absl::StatusOr<SegmentOutcome> PrepareBlock(const BlockTask& task) const override;

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.grid.group_size; }

 private:
  struct Options {
    GridOptions grid;
    int alphas = 20;
    bool clip = true;
  };
  AwqMethod(const Options& options, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options) {}
  absl::StatusOr<std::vector<float>> SearchScales(const ScaledGroup& group) const;

  Options options_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_AWQ_H_
