#include "core/compress/quantize/gptq.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/compress/outlier_check.h"
#include "core/compress/quantize/dense_correction.h"
#include "core/compress/quantize/feedback_preparation.h"
#include "core/compress/quantize/feedback_rounding.h"
#include "core/compress/quantize/grid_refinement.h"
#include "core/compress/quantize/layer_rounding.h"
#include "core/compress/quantize/layer_weight.h"
#include "core/compress/quantize/masked_rounding.h"
#include "core/compress/quantize/rtn.h"
#include "core/encoding/sparse_mask.h"
#include "core/kernels/parallel.h"

namespace tersor {
namespace {

std::string LayerNames(const SegmentTask& task) {
  return absl::StrJoin(task.layers, ", ",
                       [](std::string* out, const TargetLayer& target) { out->append(target.layer.name); });
}

absl::StatusOr<PreparedFeedback> Prepare(const GptqOptions& options, const SegmentTask& task) {
  const ConstMatrixView moment = task.statistics->second_moment();
  const std::vector<int64_t> order = OrderColumns(moment, options.order, options.grid.GroupColumns(moment.columns));
  return PrepareFeedback(moment, order, options.feedback, options.refine_rounds > 0, LayerNames(task),
                         task.cancellation);
}

// A layer on its way through the panels.
struct LayerWork {
  WeightValues weights;
  QuantizedMatrix quantized;
  int64_t first_panel = 0;

  LayerWork(WeightValues values, const GridOptions& grid)
      : weights(std::move(values)), quantized(weights.view().rows, weights.view().columns, grid) {}
  ConstMatrixView view() const { return weights.view(); }
  int64_t panels() const { return (quantized.rows + kPanelRows - 1) / kPanelRows; }
};

// Decoded and checked, with what is to be said of its outliers.
absl::StatusOr<LayerWork> StartLayer(const TargetLayer& target, const SegmentTask& task, const GridOptions& grid,
                                     std::vector<v1::Warning>& warnings) {
  std::vector<float> magnitudes;
  const LayerWeight weight = {&target.layer, target.weight.get(), task.statistics,
                              task.threads,  task.cancellation,   &magnitudes};
  TERSOR_ASSIGN_OR_RETURN(WeightValues values, weight.Decode());
  TERSOR_RETURN_IF_ERROR(CheckWeights(values.view(), grid));
  if (std::optional<v1::Warning> outlier = FindWeightOutlier(target.layer.name, magnitudes)) {
    warnings.push_back(*std::move(outlier));
  }
  return LayerWork(std::move(values), grid);
}

// Of a panel: what its error and its output are worth on the calibration inputs.
struct PanelError {
  double error = 0;
  double output = 0;
};

double SumOfSquares(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return sum;
}

// sum of (row R)^2 over the panel's rows.
double PanelEnergy(const FeedbackSystem& system, const std::vector<float>& rows) {
  double energy = 0;
  std::array<float, kPanelColumns * kPanelRows> product;
  for (int64_t p = 0; p < system.feedback.panels(); ++p) {
    const int64_t first = p * kPanelColumns, count = system.feedback.rows(p) - first;
    product.fill(0);
    AddFeedback(system.feedback, 0, first + count, first, count, rows.data(), product.data());
    for (int64_t k = 0; k < count; ++k) {
      float sum = 0;
      for (int64_t r = 0; r < kPanelRows; ++r) sum += product[k * kPanelRows + r] * product[k * kPanelRows + r];
      energy += static_cast<double>(sum) * system.importance[first + k];
    }
  }
  return energy;
}

PanelError QuantizePanel(const FeedbackSystem& system, const GptqOptions& options, double damping_term,
                         const DenseCorrection& correction, int64_t first_row, LayerWork& work) {
  RoundingPanel panel(system.columns);
  panel.Load(work.view().Rows(first_row, std::min(kPanelRows, work.quantized.rows - first_row)), system.order);
  correction.Apply(system, panel);
  RoundPanel(system, options.grid, options.block_columns, panel);
  RefinePanel(system, options.grid, options.refine_rounds, panel);
  panel.Store(system.order, first_row, work.quantized);
  const double loss = std::accumulate(panel.losses.begin(), panel.losses.end(), 0.0);
  // Less what damping adds.
  return {std::max(loss - damping_term * SumOfSquares(panel.errors), 0.0),
          std::max(PanelEnergy(system, panel.weights) - damping_term * SumOfSquares(panel.weights), 0.0)};
}

absl::StatusOr<SegmentOutcome> RoundLayersToNearest(const GptqOptions& options, const SegmentTask& task,
                                                    PreparedFeedback prepared) {
  GridOptions grid = options.grid;
  if (grid.search == v1::SCALE_SEARCH_HESSIAN) grid.search = v1::SCALE_SEARCH_MSE;
  TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome, RtnMethod(grid).Apply(task));
  for (v1::LayerResult& layer : outcome.layers) layer.set_note(prepared.note);
  std::move(prepared.warnings.begin(), prepared.warnings.end(), std::back_inserter(outcome.warnings));
  return outcome;
}

}  // namespace

MethodDescription GptqMethod::Describe() {
  return {
      .name = std::string(kName),
      .family = "quantize",
      .summary = "Column by column with error feedback, so that a layer's outputs on the calibration text change least",
      .reference = "arXiv 2210.17323",
      .options = {
          {"bits", "integer", "4", "Bits of a weight, 2 to 8"},
          {"group_size", "integer", "64", "Weights of a row that share a scale; -1: one scale a row"},
          {"symmetric", "boolean", "true", "No zero points"},
          {"scale_search", "minmax | mse | hessian", "hessian",
           "The grid spans the group's weights, or has the least squared error of about a hundred, plain or weighted "
           "by "
           "what an error costs"},
          {"activation_order", "boolean", "true", "Round the groups and columns with the largest inputs first"},
          {"damping", "number", "0.01", "Share of the mean diagonal added to the second moment's diagonal"},
          {"block_size", "integer", "128", "Columns rounded before the others are updated together"},
          {"on_factorization_failure", "fail | more_damping | rtn", "more_damping",
           "What to do where a second moment cannot be factored"},
          {"refine_rounds", "integer", "0",
           "Rounds of improving scales by least squares and codes one by one afterwards"},
          {"dense_correction", "number", "0",
           "Share, 0 to 1, of what changed inputs do to a layer's outputs that its weights make up for"}}};
}

std::string GptqMethod::WhyNotPruned() const {
  return options_.refine_rounds > 0 ? "`refine_rounds` moves codes of weights that were left out" : "";
}

std::set<Statistic> GptqMethod::statistics() const {
  std::set<Statistic> wanted = {Statistic::kSecondMoment};
  if (options_.dense_correction > 0) wanted.insert(Statistic::kDenseMoment);
  return wanted;
}

PlannedEncoding GptqMethod::Encoding(const LinearLayer& layer) const { return GroupIntEncoding(options_.grid, layer); }

std::vector<FieldViolation> GptqMethod::CheckLayers(const std::vector<LinearLayer>& layers,
                                                    const std::string& field) const {
  return CheckGroupSize(options_.grid, layers, field);
}

LayerCost GptqMethod::Cost(const LinearLayer& layer) const {
  const double n = static_cast<double>(layer.inputs), weights = n * static_cast<double>(layer.outputs);
  // The moment in double where it is kept, then the factor in double and the feedback; of all layers, weights as floats
  // and codes with their grids.
  const int64_t square = layer.inputs * layer.inputs;
  return {.scratch_bytes = (options_.refine_rounds > 0 ? 16 : 12) * square,
          .kept_bytes = 6 * layer.inputs * layer.outputs,
          .operations = weights * n * (2 + 2 * options_.refine_rounds + (options_.dense_correction > 0 ? 4 : 0)),
          .serial_operations = FactorOperations(layer.inputs)};
}

absl::StatusOr<SegmentOutcome> GptqMethod::ApplyPruned(const SegmentTask& task) const {
  TERSOR_ASSIGN_OR_RETURN(PreparedFeedback prepared, Prepare(options_, task));
  if (!prepared.system.has_value()) return RoundLayersToNearest(options_, task, std::move(prepared));
  const DenseCorrection correction(*task.statistics, prepared.system->order, options_.dense_correction);
  TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome,
                          EncodeLayers(
                              task,
                              [&](const LayerWeight& weight) -> absl::StatusOr<EncodedLayer> {
                                TERSOR_ASSIGN_OR_RETURN(WeightValues values, weight.Decode());
                                correction.Apply(*prepared.system, weight.threads, values);
                                TERSOR_RETURN_IF_ERROR(CheckWeights(values.view(), options_.grid));
                                const std::vector<uint8_t> given = KeptMarks(*weight.stored);
                                TERSOR_ASSIGN_OR_RETURN(
                                    const MaskedMatrix masked,
                                    RoundMasked(*prepared.system, values.view(),
                                                {.block_columns = options_.grid.GroupColumns(values.view().columns),
                                                 .given = given,
                                                 .grid = options_.grid,
                                                 .threads = weight.threads,
                                                 .cancellation = weight.cancellation}));
                                TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, masked.codes->Encode());
                                return EncodedLayer{std::move(encoded), prepared.note, prepared.damping};
                              },
                              nullptr));
  std::move(prepared.warnings.begin(), prepared.warnings.end(), std::back_inserter(outcome.warnings));
  return outcome;
}

absl::StatusOr<SegmentOutcome> GptqMethod::Apply(const SegmentTask& task) const {
  if (std::any_of(task.layers.begin(), task.layers.end(),
                  [](const TargetLayer& target) { return target.weight->mask() != nullptr; })) {
    return ApplyPruned(task);
  }
  TERSOR_ASSIGN_OR_RETURN(PreparedFeedback prepared, Prepare(options_, task));
  if (!prepared.system.has_value()) return RoundLayersToNearest(options_, task, std::move(prepared));
  const FeedbackSystem& system = *prepared.system;
  std::vector<LayerWork> work;
  std::vector<size_t> layer_of_panel;
  for (const TargetLayer& target : task.layers) {
    absl::StatusOr<LayerWork> layer = StartLayer(target, task, options_.grid, prepared.warnings);
    if (!layer.ok()) return Annotate(layer.status(), target.layer.name);
    work.push_back(*std::move(layer));
    work.back().first_panel = static_cast<int64_t>(layer_of_panel.size());
    layer_of_panel.resize(layer_of_panel.size() + work.back().panels(), work.size() - 1);
  }
  const double damping_term = DampingTerm(task.statistics->second_moment(), prepared.damping);
  const DenseCorrection correction(*task.statistics, system.order, options_.dense_correction);
  std::vector<PanelError> errors(layer_of_panel.size());
  TERSOR_RETURN_IF_ERROR(ParallelFor(task.threads, static_cast<int64_t>(errors.size()), [&](int64_t i) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(task.cancellation));
    LayerWork& layer = work[layer_of_panel[i]];
    errors[i] = QuantizePanel(system, options_, damping_term, correction, (i - layer.first_panel) * kPanelRows, layer);
    return absl::OkStatus();
  }));
  SegmentOutcome outcome;
  outcome.warnings = std::move(prepared.warnings);
  for (size_t i = 0; i < work.size(); ++i) {
    PanelError sum;
    for (int64_t p = 0; p < work[i].panels(); ++p) {
      sum.error += errors[work[i].first_panel + p].error;
      sum.output += errors[work[i].first_panel + p].output;
    }
    const std::string& name = task.layers[i].layer.name;
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, work[i].quantized.Encode());
    outcome.layers.push_back(DescribeLayer(name, *encoded, sum.output > 0 ? sum.error / sum.output : 0, prepared.note));
    outcome.layers.back().set_damping(prepared.damping);
    outcome.layers.back().set_dead_columns(task.statistics->DeadInputs());
    outcome.replacements.push_back({name + ".weight", std::move(encoded)});
  }
  return outcome;
}

}  // namespace tersor
