// A weight-only method whose layers' inputs are quantized too.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_WITH_ACTIVATIONS_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_WITH_ACTIVATIONS_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/compress/method.h"
#include "core/compress/quantize/activation_plan.h"

namespace tersor {

// Does what `method` does and puts the plan's input format around each weight: for methods that know nothing of inputs'
// formats.
class WithActivations final : public Method {
 public:
  WithActivations(std::unique_ptr<const Method> method, ActivationPlan activations)
      : method_(std::move(method)), activations_(std::move(activations)) {}

  absl::string_view name() const override { return method_->name(); }
  std::set<Statistic> statistics() const override;
  PlannedEncoding Encoding(const LinearLayer& layer) const override;
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;
  LayerCost Cost(const LinearLayer& layer) const override { return method_->Cost(layer); }
  std::string WhyNotPruned() const override { return method_->WhyNotPruned(); }
  std::set<Statistic> preparation_statistics() const override { return method_->preparation_statistics(); }
  bool scales_linears() const override { return method_->scales_linears(); }
  absl::StatusOr<SegmentOutcome> PrepareBlock(const BlockTask& task) const override {
    return method_->PrepareBlock(task);
  }
  absl::StatusOr<SegmentOutcome> Apply(const SegmentTask& task) const override;

 private:
  const std::unique_ptr<const Method> method_;
  const ActivationPlan activations_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_WITH_ACTIVATIONS_H_
