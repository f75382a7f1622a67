#include "core/compress/quantize/with_activations.h"

#include <algorithm>
#include <iterator>

#include "core/encoding/input_format_tensor.h"

namespace tersor {

std::set<Statistic> WithActivations::statistics() const {
  std::set<Statistic> wanted = method_->statistics();
  wanted.merge(activations_.statistics());
  return wanted;
}

PlannedEncoding WithActivations::Encoding(const LinearLayer& layer) const {
  PlannedEncoding encoding = method_->Encoding(layer);
  activations_.AddTo(encoding);
  return encoding;
}

std::vector<FieldViolation> WithActivations::CheckLayers(const std::vector<LinearLayer>& layers,
                                                         const std::string& field) const {
  std::vector<FieldViolation> violations = method_->CheckLayers(layers, field);
  std::vector<FieldViolation> inputs = activations_.CheckLayers(layers, StageField(field) + ".activations");
  std::move(inputs.begin(), inputs.end(), std::back_inserter(violations));
  return violations;
}

absl::StatusOr<SegmentOutcome> WithActivations::Apply(const SegmentTask& task) const {
  TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome, method_->Apply(task));
  TERSOR_ASSIGN_OR_RETURN(const ActivationFormatPtr format,
                          activations_.Make(task.layers.front().layer.inputs, task.statistics));
  if (format == nullptr) return outcome;
  for (const TargetLayer& target : task.layers) {
    const auto replacement =
        std::find_if(outcome.replacements.begin(), outcome.replacements.end(),
                     [&](const TensorReplacement& r) { return r.name == target.layer.name + ".weight"; });
    if (replacement == outcome.replacements.end() || replacement->tensor == nullptr) continue;
    TERSOR_ASSIGN_OR_RETURN(replacement->tensor, InputFormatTensor::Create(replacement->tensor, format));
    for (v1::LayerResult& layer : outcome.layers) {
      if (layer.name() != target.layer.name) continue;
      layer = DescribeLayer(layer.name(), *replacement->tensor, layer.relative_error(), layer.note());
    }
  }
  return outcome;
}

}  // namespace tersor
