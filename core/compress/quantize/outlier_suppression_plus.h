// Outlier Suppression+ (arXiv 2304.09145).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_OUTLIER_SUPPRESSION_PLUS_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_OUTLIER_SUPPRESSION_PLUS_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/channel_scaling.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// Channels are shifted to the middle of their range (section 4.1), where that costs the inputs less than no shift (a
// range that comes from a single token has its middle where no other token is); the input format keeps the shift
// because an RMSNorm has no bias to take it. Then those whose range is over a threshold are scaled down to it
// (section 4.2), the threshold being the one with the least error of the outputs when weights and inputs are both
// quantized.
class OutlierSuppressionPlusMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "outlier_suppression_plus";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  PlannedEncoding Encoding(const LinearLayer& layer) const override;
  std::set<Statistic> statistics() const override;
  std::set<Statistic> preparation_statistics() const override { return {Statistic::kRange, Statistic::kSample}; }
  bool scales_linears() const override { return true; }
  absl::StatusOr<SegmentOutcome> PrepareBlock(const BlockTask& task) const override;

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.grid.group_size; }
  absl::StatusOr<ActivationFormatPtr> InputFormat(int64_t width, const InputStatistics* statistics) const override;
  double OperationsAWeight() const override { return 600.0 * options_.thresholds; }

 private:
  struct Options {
    GridOptions grid = {.bits = 8, .group_size = -1};
    bool shift = true;
    int thresholds = 20;
  };
  OutlierSuppressionPlusMethod(const Options& options, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options) {}
  // What judges a scaling.
  struct Judges {
    // [tokens, inputs].
    std::vector<float> inputs;
    std::vector<float> centres;
    // Panels of rows (grid_rounding.h), and for each what the rows make of the tokens: panel arrays of tokens.
    std::vector<std::vector<float>> rows, outputs;
  };
  struct Shifted {
    std::vector<float> shifts;
    // The inputs as the layer will see them: less the shifts, rounded and shifted back.
    std::vector<float> rounded;
  };
  Judges MakeJudges(const ScaledGroup& group) const;
  absl::StatusOr<std::vector<float>> SearchScales(const ScaledGroup& group) const;
  absl::StatusOr<std::vector<float>> RoundInputs(std::vector<float> x, const std::vector<float>& shifts) const;
  absl::StatusOr<Shifted> ChooseShifts(const std::vector<float>& x, std::vector<float> centres) const;
  // Squared error of the outputs of the judges, with inputs over `scales` and weights times them.
  absl::StatusOr<double> OutputError(const ScaledGroup& group, const Judges& judges,
                                     const std::vector<float>& scales) const;

  Options options_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_OUTLIER_SUPPRESSION_PLUS_H_
