#include "core/compress/quantize/spqr.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/compress/quantize/bilevel_grids.h"
#include "core/compress/quantize/feedback_rounding.h"
#include "core/compress/quantize/option_checks.h"
#include "core/encoding/sparse_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "core/kernels/parallel.h"

namespace tersor {
namespace {

// The error of `value` on the grid that spans [low, high] and 0.
float SpannedError(float value, float low, float high, float max_code) {
  const float scale = (high - low) / max_code;
  if (scale == 0) return value;
  const float zero = std::nearbyint(-low / scale);
  const float code = std::clamp(std::nearbyint(value / scale + zero), 0.0f, max_code);
  return value - (code - zero) * scale;
}

// Of one group: the two least and the two largest values, and 0.
struct Ends {
  float low[2] = {0, 0}, high[2] = {0, 0};

  Ends(const float* values, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      low[1] = std::min(low[1], std::max(low[0], values[i]));
      low[0] = std::min(low[0], values[i]);
      high[1] = std::max(high[1], std::min(high[0], values[i]));
      high[0] = std::max(high[0], values[i]);
    }
  }
};

// Not 0 for the `count` largest costs; of equal ones the first.
std::vector<float> MarkLargest(const std::vector<float>& costs, int64_t count) {
  std::vector<int64_t> indices(costs.size());
  std::iota(indices.begin(), indices.end(), 0);
  const auto larger = [&](int64_t a, int64_t b) { return costs[a] != costs[b] ? costs[a] > costs[b] : a < b; };
  std::nth_element(indices.begin(), indices.begin() + count, indices.end(), larger);
  std::vector<float> marks(costs.size());
  for (int64_t i = 0; i < count; ++i) marks[indices[i]] = 1;
  return marks;
}

// A layer on its way; different rows may be written by different threads.
struct Work {
  BilevelIntLayout layout;
  const FeedbackSystem* system = nullptr;
  ConstMatrixView weights;
  ConstMatrixView outliers;
  BilevelIntParts parts;
  // Of each row: its outliers' entries in rising order.
  std::vector<std::vector<SparseTensor::Entry>> entries;
};

void StorePanel(const RoundingPanel& panel, int64_t first, int64_t rows, Work& work) {
  const float max_code = static_cast<float>((1 << work.layout.bits) - 1);
  for (int64_t k = 0; k < work.layout.columns; ++k) {
    const int64_t column = work.system->order[k];
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = k * kPanelRows + r;
      float code = panel.codes[at];
      if (panel.floats[at] != 0) {
        // The base comes as near to 0 as it can, and the sparse value makes up for the rest.
        code = std::clamp(panel.zero_points[at], 0.0f, max_code);
        const float base = (code - panel.zero_points[at]) * panel.scales[at];
        work.entries[first + r].push_back({first + r, column, panel.Value(k, r) - base});
      }
      work.parts.codes[(first + r) * work.layout.columns + column] = static_cast<uint8_t>(code);
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    std::sort(work.entries[first + r].begin(), work.entries[first + r].end(),
              [](const auto& a, const auto& b) { return a.column < b.column; });
  }
}

void RoundRows(int64_t first, Work& work) {
  const FeedbackSystem& system = *work.system;
  const BilevelIntLayout& layout = work.layout;
  const int64_t rows = std::min(kPanelRows, layout.rows - first);
  const GridOptions grid = {
      .bits = layout.bits, .group_size = layout.group_size, .symmetric = false, .search = v1::SCALE_SEARCH_HESSIAN};
  RoundingPanel panel(layout.columns);
  // The marks travel the weights' way into the order of rounding.
  panel.Load(work.outliers.Rows(first, rows), system.order);
  panel.floats = panel.weights;
  panel.Load(work.weights.Rows(first, rows), system.order);
  const FitGroup fit = [&](const PositionGroup& group, const float* values, const float* importance) {
    const PanelGrids free = FitGrids(values, group.count, importance, grid);
    return QuantizeGrids(free, values, group.count, importance, layout, first, group.group, work.parts);
  };
  RoundPanel(system, {grid, 128, GroupPositions(system.order, layout.group_size, layout.columns), fit}, panel);
  StorePanel(panel, first, rows, work);
}

}  // namespace

std::vector<float> LeaveOneOutCosts(ConstMatrixView weights, const std::vector<float>& importance, int bits,
                                    int64_t group_size, int threads) {
  const float max_code = static_cast<float>((1 << bits) - 1);
  std::vector<float> costs(weights.rows * weights.columns);
  RunTasks(threads, weights.rows, [&](int64_t row) {
    for (int64_t first = 0; first < weights.columns; first += group_size) {
      const float* values = weights.row(row) + first;
      const Ends ends(values, group_size);
      for (int64_t i = 0; i < group_size; ++i) {
        const float low = values[i] == ends.low[0] ? ends.low[1] : ends.low[0];
        const float high = values[i] == ends.high[0] ? ends.high[1] : ends.high[0];
        const float error = SpannedError(values[i], low, high, max_code);
        costs[row * weights.columns + first + i] = importance[first + i] * error * error;
      }
    }
  });
  return costs;
}

MethodDescription SpqrMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary =
              "Keeps the weights whose rounding costs most in a sparse float matrix; small groups with quantized "
              "scales for the others, by GPTQ's updates",
          .reference = "arXiv 2306.03078",
          .options = {{"bits", "integer", "3", "Bits of a weight, 2 to 8"},
                      {"group_size", "integer", "16", "Weights of a row that share a scale (beta_1); -1: a whole row"},
                      {"scale_bits", "integer", "3", "Bits of a scale and of a zero point, 2 to 8"},
                      {"scale_group", "integer", "16",
                       "Rows whose scales share a second-level grid (beta_2): 1 to 32, "
                       "a power of two"},
                      {"outliers", "number", "0.01", "Share of the weights that stay float, 0 to 0.1"},
                      {"damping", "number", "0.01", "Share of the mean diagonal added to the second moment's diagonal"},
                      {"on_factorization_failure", "fail | more_damping | rtn", "more_damping",
                       "What to do where a second moment cannot be factored"}}};
}

std::unique_ptr<const Method> SpqrMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                               std::vector<FieldViolation>& violations) {
  const v1::SpqrConfig& config = stage.spqr();
  Options options;
  if (config.has_bits()) options.bits = config.bits();
  if (config.has_group_size()) options.group_size = config.group_size();
  if (config.has_scale_bits()) options.scale_bits = config.scale_bits();
  if (config.has_scale_group()) options.scale_group = config.scale_group();
  if (config.has_outliers()) options.outliers = config.outliers();
  options.feedback = ReadFeedbackPolicy(config, field, violations);
  const OptionChecks checks{field, violations};
  checks.Bits("bits", options.bits);
  checks.GroupSize("group_size", options.group_size);
  checks.Bits("scale_bits", options.scale_bits);
  checks.InRange("outliers", options.outliers, 0, 0.1);
  if (options.scale_group < 1 || kPanelRows % options.scale_group != 0) {
    checks.Fault("scale_group", "must be 1, 2, 4, 8, 16 or 32");
    options.scale_group = 1;
  }
  return std::unique_ptr<const Method>(
      new SpqrMethod(options, ReadActivations(stage, {}, StageField(field), violations)));
}

std::set<Statistic> SpqrMethod::statistics() const {
  std::set<Statistic> wanted = LayerwiseMethod::statistics();
  wanted.insert(Statistic::kSecondMoment);
  return wanted;
}

BilevelIntLayout SpqrMethod::Layout(int64_t rows, int64_t columns) const {
  const int64_t group = options_.group_size == -1 ? columns : options_.group_size;
  return {rows, columns, options_.bits, group, options_.scale_bits, options_.scale_group};
}

int64_t SpqrMethod::Outliers(int64_t weights) const {
  return std::llround(options_.outliers * static_cast<double>(weights));
}

LayerCost SpqrMethod::Cost(const LinearLayer& layer) const {
  const double n = static_cast<double>(layer.inputs), weights = n * static_cast<double>(layer.outputs);
  // The factor in double, the feedback and the quadratic form; floats, costs, marks and indices of all weights.
  return {.scratch_bytes = 14 * layer.inputs * layer.inputs + 22 * layer.inputs * layer.outputs,
          .operations = weights * (4 * n + 1800),
          .serial_operations = FactorOperations(layer.inputs)};
}

PlannedEncoding SpqrMethod::WeightEncoding(const LinearLayer& layer) const {
  const int64_t entry_bytes = layer.inputs <= 65536 ? 4 : 6, entries = Outliers(layer.outputs * layer.inputs);
  return {.encoding = std::string(SumTensor::kName),
          .bytes = BilevelIntTensor::ByteSize(Layout(layer.outputs, layer.inputs)) +
                   static_cast<uint64_t>(4 * (layer.outputs + 1) + entries * entry_bytes)};
}

absl::StatusOr<EncodedLayer> SpqrMethod::EncodeWeight(const LayerWeight& weight) const {
  TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
  const ConstMatrixView w = values.view(), moment = weight.statistics->second_moment();
  const BilevelIntLayout layout = Layout(w.rows, w.columns);
  TERSOR_RETURN_IF_ERROR(CheckWeights(w, {.bits = layout.bits, .group_size = layout.group_size}));
  const std::vector<int64_t> order = OrderColumns(moment, ColumnOrder::kFallingGroups, layout.group_size);
  TERSOR_ASSIGN_OR_RETURN(PreparedFeedback prepared,
                          PrepareFeedback(moment, order, options_.feedback, /*keep_moment=*/false, weight.layer->name,
                                          weight.cancellation));
  if (!prepared.system.has_value()) prepared.system = FeedbackSystem::WithoutFeedback(order);
  std::vector<float> importance(w.columns);
  for (int64_t k = 0; k < w.columns; ++k) importance[order[k]] = prepared.system->importance[k];
  const int64_t count = Outliers(w.rows * w.columns);
  const std::vector<float> marks =
      MarkLargest(LeaveOneOutCosts(w, importance, layout.bits, layout.group_size, weight.threads), count);
  Work work{layout, &*prepared.system, w, {marks.data(), w.rows, w.columns}, BilevelIntParts(layout), {}};
  work.entries.resize(w.rows);
  TERSOR_RETURN_IF_ERROR(ParallelFor(weight.threads, (w.rows + kPanelRows - 1) / kPanelRows, [&](int64_t task) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(weight.cancellation));
    RoundRows(task * kPanelRows, work);
    return absl::OkStatus();
  }));
  std::vector<SparseTensor::Entry> entries;
  for (const auto& row : work.entries) entries.insert(entries.end(), row.begin(), row.end());
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr base, BilevelIntTensor::Create(layout, work.parts));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr sparse, SparseTensor::Create({w.rows, w.columns}, entries));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr sum, SumTensor::Create({std::move(base), std::move(sparse)}));
  return EncodedLayer{std::move(sum), prepared.note, prepared.damping,
                      static_cast<double>(count) / static_cast<double>(w.rows * w.columns),
                      std::move(prepared.warnings)};
}

}  // namespace tersor
