#include "core/compress/quantize/outlier_suppression_plus.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/compress/quantize/moment_form.h"
#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"
#include "core/encoding/int_static_format.h"
#include "core/encoding/shifted_format.h"
#include "core/kernels/outer_products.h"
#include "core/kernels/worker_pool.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// Tokens, and rows of each layer, that judge a threshold.
constexpr int64_t kTokens = 64, kRows = 256;

// Equation 3: the middle of each channel's range.
std::vector<float> Centres(const InputStatistics& statistics) {
  std::vector<float> centres;
  for (int64_t i = 0; i < statistics.width(); ++i) {
    centres.push_back((statistics.minima()[i] + statistics.maxima()[i]) / 2);
  }
  return centres;
}

// The largest magnitude of each channel once shifted.
std::vector<float> Reach(const InputStatistics& statistics, const std::vector<float>& shifts) {
  std::vector<float> reach;
  for (size_t i = 0; i < shifts.size(); ++i) {
    reach.push_back(std::max(statistics.maxima()[i] - shifts[i], shifts[i] - statistics.minima()[i]));
  }
  return reach;
}

std::vector<float> TakeTokens(ConstMatrixView sample) {
  const int64_t stride = std::max<int64_t>(sample.rows / kTokens, 1);
  std::vector<float> tokens;
  for (int64_t t = 0; t < sample.rows; t += stride) {
    tokens.insert(tokens.end(), sample.row(t), sample.row(t) + sample.columns);
  }
  return tokens;
}

// products [tokens][kPanelRows] += x [tokens, columns] times a panel of rows.
void AddProducts(const std::vector<std::vector<float>>& x, const std::vector<float>& panel, float* products) {
  // So many columns of both stay in the first-level cache.
  constexpr int64_t kDepth = 128;
  const int64_t columns = static_cast<int64_t>(panel.size()) / kPanelRows;
  for (const std::vector<float>& tokens : x) {
    for (int64_t k = 0; k < columns; k += kDepth) {
      AddOuterProducts({std::min(kDepth, columns - k), tokens.data() + k * kPanelRows, kPanelRows, kPanelRows,
                        panel.data() + k * kPanelRows, kPanelRows, kPanelRows, products, kPanelRows});
    }
    products += kPanelRows * kPanelRows;
  }
}

// Tokens [tokens, columns] as panels; those past the last are zero.
std::vector<std::vector<float>> TokenPanels(const std::vector<float>& x, int64_t columns) {
  const int64_t tokens = static_cast<int64_t>(x.size()) / columns;
  std::vector<std::vector<float>> panels;
  for (int64_t first = 0; first < tokens; first += kPanelRows) {
    panels.push_back(ToPanel({x.data() + first * columns, std::min(kPanelRows, tokens - first), columns}));
  }
  return panels;
}

}  // namespace

MethodDescription OutlierSuppressionPlusMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Shifts input channels to their centres and scales down those that reach too far",
          .reference = "arXiv 2304.09145",
          .options = {{"bits", "integer", "8", "Bits of a weight, 2 to 8"},
                      {"group_size", "integer", "-1", "Weights of a row that share a scale; -1: one scale a row"},
                      {"shift", "boolean", "true", "Shift channels to their centres"},
                      {"grid", "integer", "20", "Thresholds of the scaling tried"}}};
}

std::unique_ptr<const Method> OutlierSuppressionPlusMethod::Make(const v1::QuantizeStage& stage,
                                                                 const std::string& field,
                                                                 std::vector<FieldViolation>& violations) {
  const v1::OutlierSuppressionPlusConfig& config = stage.outlier_suppression_plus();
  Options options;
  if (config.has_bits()) options.grid.bits = config.bits();
  if (config.has_group_size()) options.grid.group_size = config.group_size();
  if (config.has_shift()) options.shift = config.shift();
  if (config.has_grid()) options.thresholds = config.grid();
  const OptionChecks checks{field, violations};
  checks.Bits("bits", options.grid.bits);
  checks.GroupSize("group_size", options.grid.group_size);
  checks.InRange("grid", options.thresholds, 1, 200);
  ActivationPlan inputs =
      ReadActivations(stage, ActivationPlan::IntToken({.bits = options.grid.bits}), StageField(field), violations);
  if (inputs.kind == ActivationPlan::Kind::kFloat) {
    violations.push_back({StageField(field) + ".activations.format",
                          "the method prepares inputs for quantization; leave them in float with rtn instead"});
  }
  return std::unique_ptr<const Method>(new OutlierSuppressionPlusMethod(options, std::move(inputs)));
}

std::set<Statistic> OutlierSuppressionPlusMethod::statistics() const {
  std::set<Statistic> wanted = LayerwiseMethod::statistics();
  wanted.insert(Statistic::kRange);
  if (options_.shift) wanted.insert(Statistic::kSample);
  return wanted;
}

// `x` as the layer will see it: less `shifts`, rounded and shifted back.
absl::StatusOr<std::vector<float>> OutlierSuppressionPlusMethod::RoundInputs(std::vector<float> x,
                                                                             const std::vector<float>& shifts) const {
  const int64_t columns = static_cast<int64_t>(shifts.size()), rows = static_cast<int64_t>(x.size()) / columns;
  for (int64_t t = 0; t < rows; ++t) {
    for (int64_t i = 0; i < columns; ++i) x[t * columns + i] -= shifts[i];
  }
  ActivationFormatPtr format;
  if (activations().kind == ActivationPlan::Kind::kIntTensor) {
    // The statistics at hand are of unscaled inputs: the fixed grid is found from these here.
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    const IntTokenOptions& integers = activations().integers;
    const StaticGrid grid = SpanStaticGrid(*low, *high, integers.bits, integers.symmetric);
    TERSOR_ASSIGN_OR_RETURN(format, IntStaticFormat::Create(columns, integers.bits, {grid}, {}));
  } else {
    TERSOR_ASSIGN_OR_RETURN(format, activations().Make(columns, nullptr));
  }
  format->Round(x.data(), rows, x.data());
  for (int64_t t = 0; t < rows; ++t) {
    for (int64_t i = 0; i < columns; ++i) x[t * columns + i] += shifts[i];
  }
  return x;
}

// The centres, or zeros where inputs lose less without a shift: a channel whose range comes from a single token has its
// centre where no other token is.
absl::StatusOr<OutlierSuppressionPlusMethod::Shifted> OutlierSuppressionPlusMethod::ChooseShifts(
    const std::vector<float>& x, std::vector<float> centres) const {
  std::vector<float> none(centres.size());
  TERSOR_ASSIGN_OR_RETURN(std::vector<float> plain, RoundInputs(x, none));
  if (!options_.shift) return Shifted{std::move(none), std::move(plain)};
  TERSOR_ASSIGN_OR_RETURN(std::vector<float> shifted, RoundInputs(x, centres));
  double with = 0, without = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    with += std::pow(static_cast<double>(shifted[i]) - x[i], 2);
    without += std::pow(static_cast<double>(plain[i]) - x[i], 2);
  }
  if (with < without) return Shifted{std::move(centres), std::move(shifted)};
  return Shifted{std::move(none), std::move(plain)};
}

OutlierSuppressionPlusMethod::Judges OutlierSuppressionPlusMethod::MakeJudges(const ScaledGroup& group) const {
  Judges judges{TakeTokens(group.statistics->sample()), Centres(*group.statistics), group.JudgePanels(kRows), {}};
  const std::vector<std::vector<float>> tokens = TokenPanels(judges.inputs, group.inputs());
  judges.outputs.assign(judges.rows.size(), std::vector<float>(tokens.size() * kPanelRows * kPanelRows));
  RunTasks(group.threads, static_cast<int64_t>(judges.rows.size()),
           [&](int64_t p) { AddProducts(tokens, judges.rows[p], judges.outputs[p].data()); });
  return judges;
}

absl::StatusOr<double> OutlierSuppressionPlusMethod::OutputError(const ScaledGroup& group, const Judges& judges,
                                                                 const std::vector<float>& scales) const {
  const int64_t columns = group.inputs(), panels = static_cast<int64_t>(judges.rows.size());
  std::vector<float> x = judges.inputs, centres = judges.centres;
  for (int64_t i = 0; i < columns; ++i) centres[i] /= scales[i];
  for (size_t begin = 0; begin < x.size(); begin += columns) {
    for (int64_t i = 0; i < columns; ++i) x[begin + i] /= scales[i];
  }
  TERSOR_ASSIGN_OR_RETURN(const Shifted shifted, ChooseShifts(x, std::move(centres)));
  const std::vector<std::vector<float>> tokens = TokenPanels(shifted.rounded, columns);
  std::vector<double> sums(panels);
  RunTasks(group.threads, panels, [&](int64_t p) {
    const std::vector<float>& wanted = judges.outputs[p];
    std::vector<float> outputs(wanted.size());
    AddProducts(tokens, RoundScaledPanel(judges.rows[p], scales, options_.grid), outputs.data());
    for (size_t i = 0; i < wanted.size(); ++i) sums[p] += std::pow(static_cast<double>(outputs[i]) - wanted[i], 2);
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

absl::StatusOr<std::vector<float>> OutlierSuppressionPlusMethod::SearchScales(const ScaledGroup& group) const {
  const Judges judges = MakeJudges(group);
  const std::vector<float> none(group.inputs());
  std::vector<float> best(group.group->outputs, 1.0f);
  double least = std::numeric_limits<double>::infinity();
  for (const bool centred : {true, false}) {
    if (centred && !options_.shift) continue;
    const std::vector<float> reach = group.LargestByOutput(Reach(*group.statistics, centred ? judges.centres : none));
    const float farthest = *std::max_element(reach.begin(), reach.end());
    for (int step = options_.thresholds; farthest > 0 && step > 0; --step) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(group.cancellation));
      const float threshold = farthest * static_cast<float>(step) / static_cast<float>(options_.thresholds);
      // Equation 6: channels within the threshold stay as they are.
      std::vector<float> scales;
      for (const float distance : reach) scales.push_back(std::max(1.0f, distance / threshold));
      TERSOR_ASSIGN_OR_RETURN(const double error, OutputError(group, judges, group.ByInput(scales)));
      if (!(error < least)) continue;
      least = error;
      best = std::move(scales);
    }
  }
  return best;
}

absl::StatusOr<SegmentOutcome> OutlierSuppressionPlusMethod::PrepareBlock(const BlockTask& task) const {
  return ScaleChannels(task, /*norms_only=*/false, [this](const ScaledGroup& group) { return SearchScales(group); });
}

PlannedEncoding OutlierSuppressionPlusMethod::Encoding(const LinearLayer& layer) const {
  PlannedEncoding encoding = LayerwiseMethod::Encoding(layer);
  if (!options_.shift) return encoding;
  const auto inner = nlohmann::json::parse(encoding.input_parameters, nullptr, /*allow_exceptions=*/false);
  encoding.input_parameters =
      nlohmann::json({{"inner", {{"format", encoding.input_format}, {"parameters", inner}}}}).dump();
  encoding.input_format = std::string(ShiftedFormat::kName);
  encoding.bytes += sizeof(float) * static_cast<uint64_t>(layer.inputs);
  return encoding;
}

PlannedEncoding OutlierSuppressionPlusMethod::WeightEncoding(const LinearLayer& layer) const {
  return GroupIntEncoding(options_.grid, layer);
}

absl::StatusOr<EncodedLayer> OutlierSuppressionPlusMethod::EncodeWeight(const LayerWeight& weight) const {
  return EncodeToNearest(weight, options_.grid);
}

absl::StatusOr<ActivationFormatPtr> OutlierSuppressionPlusMethod::InputFormat(int64_t width,
                                                                              const InputStatistics* statistics) const {
  if (!options_.shift) return LayerwiseMethod::InputFormat(width, statistics);
  TERSOR_ASSIGN_OR_RETURN(Shifted shifted, ChooseShifts(TakeTokens(statistics->sample()), Centres(*statistics)));
  std::vector<float>& shifts = shifted.shifts;
  ActivationFormatPtr inner;
  if (activations().kind == ActivationPlan::Kind::kIntTensor) {
    // Of the shifted inputs, as if they reached equally far to both sides.
    const std::vector<float> reach = Reach(*statistics, shifts);
    const float farthest = *std::max_element(reach.begin(), reach.end());
    const IntTokenOptions& integers = activations().integers;
    TERSOR_ASSIGN_OR_RETURN(
        inner, IntStaticFormat::Create(width, integers.bits,
                                       {SpanStaticGrid(-farthest, farthest, integers.bits, integers.symmetric)}, {}));
  } else {
    TERSOR_ASSIGN_OR_RETURN(inner, activations().Make(width, statistics));
  }
  return ShiftedFormat::Create(std::move(shifts), std::move(inner));
}

}  // namespace tersor
