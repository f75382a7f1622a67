#include "core/compress/quantize/smoothquant.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/compress/quantize/channel_scaling.h"
#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"

namespace tersor {
namespace {

// As in the authors' code: nothing is scaled by less.
constexpr double kSmallestScale = 1e-5;

}  // namespace

MethodDescription SmoothQuantMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Moves outliers of inputs into weights by a factor a channel, then rounds both to 8 bits",
          .reference = "arXiv 2211.10438",
          .options = {{"alpha", "number", "0.5", "Migration strength: 0 leaves inputs as they are, 1 evens them out"},
                      {"bits", "integer", "8", "Bits of a weight, 2 to 8"},
                      {"group_size", "integer", "-1", "Weights of a row that share a scale; -1: one scale a row"},
                      {"fold", "norms | all", "norms",
                       "Scale the inputs that norms make, or also those of o (into v) and down (into up)"}}};
}

std::unique_ptr<const Method> SmoothQuantMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                                      std::vector<FieldViolation>& violations) {
  const v1::SmoothQuantConfig& config = stage.smoothquant();
  Options options;
  if (config.has_alpha()) options.alpha = config.alpha();
  if (config.has_bits()) options.grid.bits = config.bits();
  if (config.has_group_size()) options.grid.group_size = config.group_size();
  options.norms_only = config.fold() != "all";
  const OptionChecks checks{field, violations};
  checks.InRange("alpha", options.alpha, 0, 1);
  checks.Bits("bits", options.grid.bits);
  checks.GroupSize("group_size", options.grid.group_size);
  if (!config.fold().empty()) checks.OneOf("fold", config.fold(), {"norms", "all"});
  ActivationPlan inputs = ReadActivations(stage, ActivationPlan::IntToken({}), StageField(field), violations);
  if (inputs.kind == ActivationPlan::Kind::kFloat && stage.activations().format() == "none") {
    violations.push_back({StageField(field) + ".activations.format",
                          "the method moves outliers of inputs into weights so that both can be rounded; leave inputs "
                          "in float with rtn instead"});
  }
  return std::unique_ptr<const Method>(new SmoothQuantMethod(options, std::move(inputs)));
}

std::vector<float> SmoothingScales(const std::vector<float>& input_absmax, const std::vector<float>& weight_absmax,
                                   double alpha) {
  std::vector<float> scales(input_absmax.size(), 1.0f);
  for (size_t i = 0; i < scales.size(); ++i) {
    if (input_absmax[i] == 0 || weight_absmax[i] == 0) continue;
    const double scale = std::pow(input_absmax[i], alpha) / std::pow(weight_absmax[i], 1 - alpha);
    scales[i] = static_cast<float>(std::max(scale, kSmallestScale));
  }
  return scales;
}

absl::StatusOr<SegmentOutcome> SmoothQuantMethod::PrepareBlock(const BlockTask& task) const {
  return ScaleChannels(task, options_.norms_only, [this](const ScaledGroup& group) {
    return SmoothingScales(group.LargestByOutput(group.statistics->absmax()),
                           group.LargestByOutput(group.WeightAbsMax()), options_.alpha);
  });
}

PlannedEncoding SmoothQuantMethod::WeightEncoding(const LinearLayer& layer) const {
  return GroupIntEncoding(options_.grid, layer);
}

absl::StatusOr<EncodedLayer> SmoothQuantMethod::EncodeWeight(const LayerWeight& weight) const {
  return EncodeToNearest(weight, options_.grid);
}

}  // namespace tersor
