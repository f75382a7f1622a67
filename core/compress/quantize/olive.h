// OliVe (arXiv 2304.07493).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_OLIVE_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_OLIVE_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// Weights and inputs as outlier-victim pairs (core/encoding/outlier_pairs.h): scales by least squared error, one for a
// row (or group) of weights and one for a layer's inputs.
class OliveMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "olive";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override;
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.group_size; }
  absl::StatusOr<ActivationFormatPtr> InputFormat(int64_t width, const InputStatistics* statistics) const override;
  // About thirty scales tried.
  double OperationsAWeight() const override { return 1500; }

 private:
  struct Options {
    int bits = 4;
    int64_t group_size = -1;
    bool inputs = true;
  };
  explicit OliveMethod(const Options& options) : LayerwiseMethod({}), options_(options) {}

  Options options_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_OLIVE_H_
