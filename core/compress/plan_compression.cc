// Planning: what the stages will do and cost.
#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/compress/compress_model.h"
#include "core/compress/compression_estimate.h"
#include "core/compress/resolved_stages.h"

namespace tersor {
namespace {

// Adds a stage's encodings to the plan; returns bits per weight of its layers.
double AddEncodings(const Model& model, const ResolvedStage& stage, CompressionPlan& plan) {
  double bits = 0, weights = 0;
  for (const LinearLayer& layer : stage.layers) {
    const PlannedEncoding encoding = stage.method->Encoding(layer);
    bits += 8.0 * static_cast<double>(encoding.bytes);
    weights += static_cast<double>(layer.outputs) * static_cast<double>(layer.inputs);
    plan.encodings[layer.name + ".weight"] = encoding;
  }
  if (stage.head.has_value()) plan.encodings.merge(HeadEncodings(model, *stage.head));
  return weights > 0 ? bits / weights : 0;
}

uint64_t ParameterBytes(const Model& model, const PlannedEncodings& encodings) {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : model.parameters) {
    const auto planned = encodings.find(name);
    bytes += planned == encodings.end() ? tensor->byte_size() : planned->second.bytes;
  }
  const auto head = encodings.find(kHeadName);
  if (head != encodings.end() && model.spec.tied) bytes += head->second.bytes;
  return bytes;
}

}  // namespace

CompressionPlan PlanCompression(const Model& model, const v1::Recipe& recipe, int64_t calibration_tokens,
                                const ComputeOptions& options, std::vector<FieldViolation>& violations) {
  CompressionPlan plan;
  const size_t faults = violations.size();
  const std::vector<ResolvedStage> stages = ResolveStages(model, recipe, violations);
  if (violations.size() != faults) return plan;
  std::array<bool, 2> forward{};
  for (const ResolvedStage& stage : stages) {
    const bool calibrated = stage.method->reads_text() && !stage.layers.empty();
    // The dense model and the one that is being compressed each run once, for the first stage that reads them.
    bool& runs = forward[stage.method->reads_dense_model() ? 0 : 1];
    const WalkEstimate estimate = EstimateStage(model, stage, calibration_tokens, options, calibrated && !runs);
    runs = runs || calibrated;
    plan.needs_calibration = plan.needs_calibration || calibrated;
    const double bits = AddEncodings(model, stage, plan);
    v1::PlannedStage& planned = plan.stages.emplace_back();
    planned.set_name(stage.name);
    planned.set_seconds(estimate.seconds);
    planned.set_peak_memory_bytes(estimate.peak_memory_bytes);
    planned.set_detail(absl::StrFormat("%d blocks, %d linear layers, %.2f bits per weight", model.spec.layers.size(),
                                       stage.layers.size(), bits));
  }
  plan.parameter_bytes = ParameterBytes(model, plan.encodings);
  return plan;
}

}  // namespace tersor
