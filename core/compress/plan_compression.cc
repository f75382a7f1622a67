// Planning: what the stages will do and cost.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/compress/compress_model.h"
#include "core/compress/compression_estimate.h"
#include "core/compress/resolved_stages.h"

namespace tersor {
namespace {

// Adds the stage's encodings to the plan; returns bits per weight of its layers once all stages are done.
double AddEncodings(const Model& model, const std::map<std::string, PlannedEncoding>& encodings,
                    const ResolvedStage& stage, CompressionPlan& plan) {
  double bits = 0, weights = 0;
  for (const LinearLayer& layer : stage.layers) {
    const PlannedEncoding& encoding = encodings.at(layer.name);
    bits += 8.0 * static_cast<double>(encoding.bytes);
    weights += static_cast<double>(layer.outputs) * static_cast<double>(layer.inputs);
    plan.encodings[layer.name + ".weight"] = encoding;
  }
  if (stage.head.has_value()) plan.encodings.merge(HeadEncodings(model, *stage.head));
  return weights > 0 ? bits / weights : 0;
}

uint64_t ParameterBytes(const Model& model, const PlannedEncodings& encodings,
                        const std::map<std::string, uint64_t>& scaled) {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : model.parameters) {
    const auto planned = encodings.find(name);
    const auto floats = scaled.find(name);
    const uint64_t kept = floats == scaled.end() ? tensor->byte_size() : floats->second;
    bytes += planned == encodings.end() ? kept : planned->second.bytes;
  }
  const auto head = encodings.find(kHeadName);
  if (head != encodings.end() && model.spec.tied) bytes += head->second.bytes;
  return bytes;
}

}  // namespace

CompressionPlan PlanCompression(const Model& model, const v1::Recipe& recipe, const CalibrationSize& calibration,
                                const ComputeOptions& options, std::vector<FieldViolation>& violations) {
  CompressionPlan plan;
  const size_t faults = violations.size();
  const std::vector<ResolvedStage> stages = ResolveStages(model, recipe, violations);
  if (violations.size() != faults) return plan;
  const WalkEstimate walk = EstimateWalk(model, stages, calibration, options);
  const std::vector<double> shares = StageShares(stages);
  const std::map<std::string, PlannedEncoding> encodings = LayerEncodings(model, stages);
  for (const ResolvedStage& stage : stages) {
    plan.needs_calibration = plan.needs_calibration || (stage.method->reads_text() && !stage.layers.empty());
    const double bits = AddEncodings(model, encodings, stage, plan);
    v1::PlannedStage& planned = plan.stages.emplace_back();
    planned.set_name(stage.name);
    planned.set_seconds(walk.seconds * shares[plan.stages.size() - 1]);
    planned.set_peak_memory_bytes(walk.peak_memory_bytes);
    if (plan.stages.size() == 1) planned.set_scratch_bytes(walk.scratch_bytes);
    planned.set_detail(absl::StrFormat("%d blocks, %d linear layers, %.2f bits per weight", model.spec.layers.size(),
                                       stage.layers.size(), bits));
  }
  plan.parameter_bytes = ParameterBytes(model, plan.encodings, ScaledParameters(model, stages));
  return plan;
}

}  // namespace tersor
