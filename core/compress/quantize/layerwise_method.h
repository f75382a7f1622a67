// A method that encodes one matrix at a time and may quantize inputs: what most quantizers are.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_LAYERWISE_METHOD_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_LAYERWISE_METHOD_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/compress/method.h"
#include "core/compress/quantize/activation_plan.h"
#include "core/compress/quantize/layer_rounding.h"

namespace tersor {

class LayerwiseMethod : public Method {
 public:
  std::set<Statistic> statistics() const override { return activations_.statistics(); }
  bool reads_dense_model() const override { return true; }
  PlannedEncoding Encoding(const LinearLayer& layer) const override;
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;
  LayerCost Cost(const LinearLayer& layer) const override;
  absl::StatusOr<SegmentOutcome> Apply(const SegmentTask& task) const override;

 protected:
  explicit LayerwiseMethod(ActivationPlan activations) : activations_(std::move(activations)) {}

  // The weight's part of Encoding.
  virtual PlannedEncoding WeightEncoding(const LinearLayer& layer) const = 0;
  // Reads the weight by Decode or VisitTiles, which refuse what is not finite and find outliers.
  virtual absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const = 0;
  // Weights that share a scale, which must divide the inputs; -1 is a whole row.
  virtual int64_t group_size() const = 0;
  // The format of a segment's inputs; by default what the plan makes.
  virtual absl::StatusOr<ActivationFormatPtr> InputFormat(int64_t width, const InputStatistics* statistics) const;
  // Floating-point operations that one weight takes.
  virtual double OperationsAWeight() const { return 30; }

  const ActivationPlan& activations() const { return activations_; }

 private:
  ActivationPlan activations_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_LAYERWISE_METHOD_H_
