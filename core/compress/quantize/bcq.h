// Binary-coding quantization (BCQ) as LUT-GEMM uses it (arXiv 2206.09557).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_BCQ_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_BCQ_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/layerwise_method.h"
#include "core/encoding/bit_plane_tensor.h"

namespace tersor {

// Each group of weights becomes a sum of scaled sign vectors: greedily plane by plane, then alternating between scales
// by least squares and the nearest codes, errors counted by the size of the inputs they meet.
class BcqMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "bcq";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override;

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.group_size; }
  double OperationsAWeight() const override;

 private:
  struct Options {
    int planes = 4;
    int64_t group_size = 64;
    int rounds = 15;
    bool input_weighting = true;
  };
  // The greedy fit has no error to weigh.
  bool weighs_inputs() const { return options_.input_weighting && options_.rounds > 0; }
  // Of each column of the weight; ones where inputs are not weighed.
  std::vector<float> Importance(const LayerWeight& weight) const;

  BcqMethod(const Options& options, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options) {}

  Options options_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_BCQ_H_
