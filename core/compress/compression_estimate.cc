#include "core/compress/compression_estimate.h"

#include <algorithm>

namespace tersor {
namespace {

// What a slow AVX2 core does; faster ones finish earlier than planned.
constexpr double kOperationsPerSecond = 25e9;
// A weight is decoded, looked at, rounded, packed and compared, whatever the method computes beside it.
constexpr double kOperationsPerWeight = 400;
// A block's checkpoint is written and made durable, with the calibration tokens' hidden states.
constexpr double kSecondsPerBlock = 0.1, kDiskBytesPerSecond = 100e6;

double ForwardOperations(const Model& model, int64_t tokens) {
  double weights = 0;
  for (const auto& [name, tensor] : model.parameters) {
    if (name != kEmbeddingName && name != kHeadName) weights += static_cast<double>(tensor->elements());
  }
  return 2 * weights * static_cast<double>(tokens);
}

int64_t WidestInput(const ResolvedStage& stage) {
  int64_t widest = 0;
  for (const LinearLayer& layer : stage.layers) widest = std::max(widest, layer.inputs);
  return widest;
}

int64_t BlockBytes(const Model& model) {
  const size_t blocks = std::max<size_t>(model.spec.layers.size(), 1);
  int64_t elements = 0;
  for (const auto& [name, tensor] : model.parameters) {
    if (name != kEmbeddingName && name != kHeadName) elements += tensor->elements();
  }
  return elements / static_cast<int64_t>(blocks) * 4;
}

}  // namespace

WalkEstimate EstimateStage(const Model& model, const ResolvedStage& stage, int64_t calibration_tokens,
                           const ComputeOptions& options, bool counts_forward) {
  double operations = 0, written = 0;
  int64_t scratch = 0, largest_weight = 0;
  const bool calibrated = stage.method->reads_text();
  for (const LinearLayer& layer : stage.layers) {
    const LayerCost cost = stage.method->Cost(layer);
    operations += cost.operations + kOperationsPerWeight * static_cast<double>(layer.inputs * layer.outputs);
    written += static_cast<double>(stage.method->Encoding(layer).bytes);
    scratch = std::max(scratch, cost.scratch_bytes);
    largest_weight = std::max(largest_weight, 4 * layer.inputs * layer.outputs);
    // Second moments: half of the products, once for the layers of a segment; counted for each as an upper bound.
    if (calibrated)
      operations += static_cast<double>(layer.inputs * layer.inputs) * static_cast<double>(calibration_tokens);
  }
  const bool prepares = !stage.method->preparation_statistics().empty();
  if (calibrated && counts_forward) operations += ForwardOperations(model, calibration_tokens);
  WalkEstimate estimate;
  const double blocks = static_cast<double>(model.spec.layers.size());
  if (calibrated) written += blocks * static_cast<double>(calibration_tokens * model.spec.width) * sizeof(float);
  estimate.seconds = operations / kOperationsPerSecond / std::max(options.threads, 1) + blocks * kSecondsPerBlock +
                     written / kDiskBytesPerSecond;
  // A block's weights as floats, twice: as decoded and as the matmul library wants them. Residual stream, inputs of a
  // segment and of the next, one second moment.
  const int64_t widest = WidestInput(stage);
  estimate.peak_memory_bytes = 2 * BlockBytes(model) + 2 * scratch + 3 * largest_weight;
  if (calibrated) {
    estimate.peak_memory_bytes += calibration_tokens * 4 * (model.spec.width + 2 * widest) + widest * widest * 4;
  }
  // Statistics of all segments, as gathered and as scaled, and a second copy of the block's weights.
  if (prepares) {
    estimate.peak_memory_bytes += 8 * widest * widest * 4 + BlockBytes(model);
  }
  if (stage.head.has_value()) {
    const int64_t head = model.spec.vocabulary * model.spec.width * 6;
    estimate.peak_memory_bytes = std::max(estimate.peak_memory_bytes, head);
  }
  return estimate;
}

}  // namespace tersor
