#include "core/compress/quantize/awq.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "core/compress/quantize/clipped_rounding.h"
#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"

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

// Of a layer's rows, those that judge.
std::vector<float> TakeJudges(const std::vector<float>& weights, int64_t columns) {
  const int64_t rows = static_cast<int64_t>(weights.size()) / columns;
  const int64_t stride = std::max<int64_t>(rows / kJudges, 1);
  std::vector<float> judges;
  for (int64_t row = 0; row < rows; row += stride) {
    judges.insert(judges.end(), weights.begin() + row * columns, weights.begin() + (row + 1) * columns);
  }
  return judges;
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
  const int64_t columns = group.inputs();
  std::vector<float> judges;
  for (const std::vector<float>& weights : group.weights) {
    const std::vector<float> taken = TakeJudges(weights, columns);
    judges.insert(judges.end(), taken.begin(), taken.end());
  }
  const int64_t rows = static_cast<int64_t>(judges.size()) / columns;
  std::vector<float> best(magnitudes.size(), 1.0f), scaled(judges.size());
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step < options_.alphas; ++step) {
    const std::vector<float> scales = BalancedScales(magnitudes, static_cast<double>(step) / options_.alphas);
    const std::vector<float> by_input = group.ByInput(scales);
    for (size_t i = 0; i < judges.size(); ++i) scaled[i] = judges[i] * by_input[i % columns];
    TERSOR_ASSIGN_OR_RETURN(const RoundedMatrix rounded,
                            RoundToNearest({scaled.data(), rows, columns}, options_.grid, group.threads));
    for (size_t i = 0; i < scaled.size(); ++i) {
      const int64_t at = static_cast<int64_t>(i);
      scaled[i] = rounded.matrix.Value(at / columns, at % columns) / by_input[at % columns];
    }
    const double error = RelativeError({judges.data(), rows, columns}, {scaled.data(), rows, columns},
                                       group.statistics->second_moment(), group.threads);
    if (error >= least) continue;
    least = error;
    best = scales;
  }
  return best;
}

absl::StatusOr<SegmentOutcome> AwqMethod::PrepareBlock(const BlockTask& task) const {
  return ScaleChannels(task, /*norms_only=*/false, [this](const ScaledGroup& group) { return SearchScales(group); });
}

PlannedEncoding AwqMethod::WeightEncoding(const LinearLayer& layer) const {
  return GroupIntEncoding(options_.grid, layer);
}

absl::StatusOr<EncodedLayer> AwqMethod::EncodeWeight(const LayerWeight& weight) const {
  // Queries and keys meet in a product, where clipping either is hard to judge: the authors leave them out.
  const std::string& name = weight.layer->name;
  const bool clips = options_.clip && !absl::EndsWith(name, ".q_proj") && !absl::EndsWith(name, ".k_proj");
  if (!clips) return EncodeToNearest(weight, options_.grid);
  TERSOR_RETURN_IF_ERROR(CheckWeights(weight.values, options_.grid));
  const QuantizedMatrix matrix =
      RoundClipped(weight.values, weight.statistics->second_moment(), options_.grid, weight.threads);
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, matrix.Encode());
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
