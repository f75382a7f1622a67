#include "core/compress/quantize/awq.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "absl/strings/match.h"
#include "core/compress/quantize/clipped_rounding.h"
#include "core/compress/quantize/moment_form.h"
#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"
#include "core/kernels/parallel.h"

namespace tersor {
namespace {

// Rows of a layer that judge a scaling: evenly spaced, enough to tell alphas apart.
constexpr int64_t kJudges = 256;
constexpr float kSmallestScale = 1e-4f;

// s_X^alpha, balanced so that the largest and the smallest scale are each other's inverse (as the authors' code does).
std::vector<float> BalancedScales(const std::vector<float>& magnitudes, double alpha) {
  std::vector<float> scales;
  for (const float magnitude : magnitudes) {
    scales.push_back(std::max(static_cast<float>(std::pow(magnitude, alpha)), kSmallestScale));
  }
  const auto [low, high] = std::minmax_element(scales.begin(), scales.end());
  const float middle = std::sqrt(*low * *high);
  for (float& scale : scales) scale /= middle;
  return scales;
}

// What rounding the panel's rows, scaled, does to their outputs.
double ScaledLoss(const std::vector<float>& panel, const std::vector<float>& scales, const GridOptions& grid,
                  const MomentForm& form) {
  std::vector<float> scaled = RoundScaledPanel(panel, scales, grid);
  const int64_t columns = form.columns();
  for (int64_t k = 0; k < columns; ++k) {
    const float inverse = 1 / scales[k];
    float* values = scaled.data() + k * kPanelRows;
    for (int64_t r = 0; r < kPanelRows; ++r) values[r] = panel[k * kPanelRows + r] - values[r] * inverse;
  }
  PanelLosses losses{};
  form.AddLosses(scaled.data(), losses);
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

}  // namespace

MethodDescription AwqMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Scales up channels with large inputs and clips ranges before rounding to nearest",
          .reference = "arXiv 2306.00978",
          .options = {{"bits", "integer", "4", "Bits of a weight, 2 to 8"},
                      {"group_size", "integer", "64", "Weights of a row that share a scale; -1: one scale a row"},
                      {"symmetric", "boolean", "true", "No zero points"},
                      {"grid", "integer", "20", "Exponents of the inputs' magnitudes tried"},
                      {"clip", "boolean", "true", "Search narrower ranges by the outputs' error"}}};
}

std::unique_ptr<const Method> AwqMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                              std::vector<FieldViolation>& violations) {
  const v1::AwqConfig& config = stage.awq();
  Options options;
  if (config.has_bits()) options.grid.bits = config.bits();
  if (config.has_group_size()) options.grid.group_size = config.group_size();
  if (config.has_symmetric()) options.grid.symmetric = config.symmetric();
  if (config.has_grid()) options.alphas = config.grid();
  if (config.has_clip()) options.clip = config.clip();
  const OptionChecks checks{field, violations};
  checks.Bits("bits", options.grid.bits);
  checks.GroupSize("group_size", options.grid.group_size);
  checks.InRange("grid", options.alphas, 1, 100);
  return std::unique_ptr<const Method>(
      new AwqMethod(options, ReadActivations(stage, {}, StageField(field), violations)));
}

std::set<Statistic> AwqMethod::statistics() const {
  std::set<Statistic> wanted = LayerwiseMethod::statistics();
  wanted.insert(Statistic::kSecondMoment);
  return wanted;
}

absl::StatusOr<std::vector<float>> AwqMethod::SearchScales(const ScaledGroup& group) const {
  const std::vector<float> magnitudes = group.LargestByOutput(group.statistics->MeanMagnitudes());
  std::vector<std::vector<float>> candidates, by_input;
  for (int step = 0; step < options_.alphas; ++step) {
    candidates.push_back(BalancedScales(magnitudes, static_cast<double>(step) / options_.alphas));
    by_input.push_back(group.ByInput(candidates.back()));
  }
  const MomentForm form(group.statistics->second_moment());
  const std::vector<std::vector<float>> judges = group.JudgePanels(kJudges);
  const int64_t panels = static_cast<int64_t>(judges.size());
  std::vector<double> losses(candidates.size() * panels);
  TERSOR_RETURN_IF_ERROR(ParallelFor(group.threads, static_cast<int64_t>(losses.size()), [&](int64_t task) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(group.cancellation));
    losses[task] = ScaledLoss(judges[task % panels], by_input[task / panels], options_.grid, form);
    return absl::OkStatus();
  }));
  size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < candidates.size(); ++i) {
    const auto begin = losses.begin() + static_cast<int64_t>(i) * panels;
    const double loss = std::accumulate(begin, begin + panels, 0.0);
    if (!(loss < least)) continue;
    least = loss;
    best = i;
  }
  return candidates[best];
}

absl::StatusOr<SegmentOutcome> AwqMethod::PrepareBlock(const BlockTask& task) const {
  return ScaleChannels(task, /*norms_only=*/false, [this](const ScaledGroup& group) { return SearchScales(group); });
}

LayerCost AwqMethod::Cost(const LinearLayer& layer) const {
  const int64_t judges = std::min(layer.outputs, 2 * kJudges);
  const double n = static_cast<double>(layer.inputs), weights = n * static_cast<double>(layer.outputs);
  const double group = static_cast<double>(options_.grid.GroupColumns(layer.inputs));
  LayerCost cost = LayerwiseMethod::Cost(layer);
  // The quadratic form, and the rows that judge.
  cost.scratch_bytes += 3 * layer.inputs * layer.inputs + 4 * judges * layer.inputs;
  // An exponent is judged by the form of all inputs, a range by that of its group's.
  cost.operations += options_.alphas * static_cast<double>(judges) * n * (n + 100);
  if (options_.clip) cost.operations += kClipSteps * weights * (group + 100);
  return cost;
}

PlannedEncoding AwqMethod::WeightEncoding(const LinearLayer& layer) const {
  return GroupIntEncoding(options_.grid, layer);
}

absl::StatusOr<EncodedLayer> AwqMethod::EncodeWeight(const LayerWeight& weight) const {
  // Queries and keys meet in a product, where clipping either is hard to judge: the authors leave them out.
  const std::string& name = weight.layer->name;
  const bool clips = options_.clip && !absl::EndsWith(name, ".q_proj") && !absl::EndsWith(name, ".k_proj");
  if (!clips) return EncodeToNearest(weight, options_.grid);
  TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
  TERSOR_RETURN_IF_ERROR(CheckWeights(values.view(), options_.grid));
  const QuantizedMatrix matrix =
      RoundClipped(values.view(), weight.statistics->second_moment(), options_.grid, weight.threads);
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, matrix.Encode());
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
