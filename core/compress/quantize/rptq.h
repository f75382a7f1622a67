// RPTQ: reorder-based quantization of activations (arXiv 2304.01089).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_RPTQ_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_RPTQ_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// Channels of like range form clusters, found by k-means on (largest, smallest) of each channel (section 3.3); each
// cluster has its own static grid. The format keeps the cluster of each input, which needs no reordering of weights.
class RptqMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "rptq";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override { return {Statistic::kRange}; }

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.grid.group_size; }
  absl::StatusOr<ActivationFormatPtr> InputFormat(int64_t width, const InputStatistics* statistics) const override;

 private:
  struct Options {
    GridOptions grid = {.bits = 4, .group_size = 64, .search = v1::SCALE_SEARCH_MSE};
    int activation_bits = 4;
    int64_t clusters = 32;
  };
  explicit RptqMethod(const Options& options) : LayerwiseMethod({}), options_(options) {}

  Options options_;
};

// The cluster of each channel, 0 .. at most `clusters` - 1, none of them empty. Deterministic: centres begin evenly
// spaced among the channels in order of their spread.
std::vector<uint16_t> ClusterRanges(const std::vector<float>& minima, const std::vector<float>& maxima,
                                    int64_t clusters);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_RPTQ_H_
