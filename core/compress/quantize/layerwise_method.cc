#include "core/compress/quantize/layerwise_method.h"

#include <iterator>

#include "core/compress/quantize/quantize_config.h"

namespace tersor {

PlannedEncoding LayerwiseMethod::Encoding(const LinearLayer& layer) const {
  PlannedEncoding encoding = WeightEncoding(layer);
  activations_.AddTo(encoding);
  return encoding;
}

std::vector<FieldViolation> LayerwiseMethod::CheckLayers(const std::vector<LinearLayer>& layers,
                                                         const std::string& field) const {
  std::vector<FieldViolation> violations = CheckGroupSize({.group_size = group_size()}, layers, field);
  std::vector<FieldViolation> inputs = activations_.CheckLayers(layers, StageField(field) + ".activations");
  std::move(inputs.begin(), inputs.end(), std::back_inserter(violations));
  return violations;
}

LayerCost LayerwiseMethod::Cost(const LinearLayer& layer) const {
  const int64_t weights = layer.outputs * layer.inputs;
  // Of encoders that read all of it: floats, codes and their grids, packed codes.
  return {.scratch_bytes = weights * 7, .operations = static_cast<double>(weights) * OperationsAWeight()};
}

absl::StatusOr<ActivationFormatPtr> LayerwiseMethod::InputFormat(int64_t width,
                                                                 const InputStatistics* statistics) const {
  return activations_.Make(width, statistics);
}

absl::StatusOr<SegmentOutcome> LayerwiseMethod::Apply(const SegmentTask& task) const {
  TERSOR_ASSIGN_OR_RETURN(const ActivationFormatPtr format,
                          InputFormat(task.layers.front().layer.inputs, task.statistics));
  return EncodeLayers(
      task, [this](const LayerWeight& weight) { return EncodeWeight(weight); }, format);
}

}  // namespace tersor
