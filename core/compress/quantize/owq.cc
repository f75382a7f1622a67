#include "core/compress/quantize/owq.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/compress/quantize/feedback_rounding.h"
#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"
#include "core/encoding/columns_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "core/kernels/parallel.h"

namespace tersor {
namespace {

// GPTQ's order with the float columns moved to its end.
std::vector<int64_t> OrderWithFloatsLast(ConstMatrixView moment, int64_t group, const std::vector<int64_t>& floats) {
  std::vector<int64_t> order = OrderColumns(moment, ColumnOrder::kFallingGroups, group);
  std::stable_partition(order.begin(), order.end(),
                        [&](int64_t column) { return !std::binary_search(floats.begin(), floats.end(), column); });
  return order;
}

// Float columns have the code that means 0.
void ClearColumns(const std::vector<int64_t>& floats, QuantizedMatrix& matrix) {
  const int64_t group = matrix.options.GroupColumns(matrix.columns);
  for (int64_t row = 0; row < matrix.rows; ++row) {
    for (const int64_t column : floats) {
      const float zero = matrix.options.symmetric ? static_cast<float>(matrix.options.middle_code())
                                                  : matrix.grids[row * matrix.groups() + column / group].zero_point;
      matrix.codes[row * matrix.columns + column] = static_cast<uint8_t>(zero);
    }
  }
}

}  // namespace

std::vector<int64_t> WeakColumns(ConstMatrixView weights, ConstMatrixView rounded, ConstMatrixView moment,
                                 int64_t count) {
  const int64_t columns = weights.columns;
  std::vector<double> sensitivity(columns);
  for (int64_t row = 0; row < weights.rows; ++row) {
    for (int64_t k = 0; k < columns; ++k) {
      const double error = static_cast<double>(weights.at(row, k)) - rounded.at(row, k);
      sensitivity[k] += error * error;
    }
  }
  for (int64_t k = 0; k < columns; ++k) sensitivity[k] *= moment.at(k, k);
  std::vector<int64_t> order(columns);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return sensitivity[a] > sensitivity[b]; });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

MethodDescription OwqMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Keeps the input channels whose rounding costs most in float; GPTQ for the others",
          .reference = "arXiv 2306.02272",
          .options = {{"bits", "integer", "3", "Bits of a weight, 2 to 8"},
                      {"group_size", "integer", "64", "Weights of a row that share a scale; -1: one scale a row"},
                      {"symmetric", "boolean", "true", "No zero points"},
                      {"float_columns", "number", "0.01", "Share of a layer's columns that stay float, 0 to 0.5"},
                      {"damping", "number", "0.01", "Share of the mean diagonal added to the second moment's diagonal"},
                      {"on_factorization_failure", "fail | more_damping | rtn", "more_damping",
                       "What to do where a second moment cannot be factored"}}};
}

std::unique_ptr<const Method> OwqMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                              std::vector<FieldViolation>& violations) {
  const v1::OwqConfig& config = stage.owq();
  Options options;
  if (config.has_bits()) options.grid.bits = config.bits();
  if (config.has_group_size()) options.grid.group_size = config.group_size();
  if (config.has_symmetric()) options.grid.symmetric = config.symmetric();
  if (config.has_float_columns()) options.float_columns = config.float_columns();
  options.feedback = ReadFeedbackPolicy(config, field, violations);
  const OptionChecks checks{field, violations};
  checks.Bits("bits", options.grid.bits);
  checks.GroupSize("group_size", options.grid.group_size);
  checks.InRange("float_columns", options.float_columns, 0, 0.5);
  return std::unique_ptr<const Method>(
      new OwqMethod(options, ReadActivations(stage, {}, StageField(field), violations)));
}

std::set<Statistic> OwqMethod::statistics() const {
  std::set<Statistic> wanted = LayerwiseMethod::statistics();
  wanted.insert(Statistic::kSecondMoment);
  return wanted;
}

int64_t OwqMethod::FloatColumns(int64_t columns) const {
  if (options_.float_columns == 0) return 0;
  return std::max<int64_t>(std::llround(options_.float_columns * static_cast<double>(columns)), 1);
}

LayerCost OwqMethod::Cost(const LinearLayer& layer) const {
  const double n = static_cast<double>(layer.inputs), weights = n * static_cast<double>(layer.outputs);
  // The factor in double, the feedback and the quadratic form; floats twice, codes twice, and what they stand for.
  return {.scratch_bytes = 14 * layer.inputs * layer.inputs + 15 * layer.inputs * layer.outputs,
          .operations = weights * (4 * n + 700),
          .serial_operations = FactorOperations(layer.inputs)};
}

PlannedEncoding OwqMethod::WeightEncoding(const LinearLayer& layer) const {
  PlannedEncoding encoding = GroupIntEncoding(options_.grid, layer);
  const int64_t floats = FloatColumns(layer.inputs);
  if (floats == 0) return encoding;
  encoding.encoding = std::string(SumTensor::kName);
  encoding.bytes += static_cast<uint64_t>(floats * (2 * layer.outputs + 4));
  return encoding;
}

absl::StatusOr<EncodedLayer> OwqMethod::EncodeWeight(const LayerWeight& weight) const {
  TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
  const ConstMatrixView w = values.view(), moment = weight.statistics->second_moment();
  const int64_t group = options_.grid.GroupColumns(w.columns), count = FloatColumns(w.columns);
  GridOptions nearest = options_.grid;
  nearest.search = v1::SCALE_SEARCH_MINMAX;
  TERSOR_ASSIGN_OR_RETURN(const QuantizedMatrix rounded, RoundToNearest(w, nearest, weight.threads));
  const std::vector<float> plain = rounded.Decode();
  const std::vector<int64_t> floats = WeakColumns(w, {plain.data(), w.rows, w.columns}, moment, count);
  const std::vector<int64_t> order = OrderWithFloatsLast(moment, group, floats);
  TERSOR_ASSIGN_OR_RETURN(PreparedFeedback prepared,
                          PrepareFeedback(moment, order, options_.feedback, /*keep_moment=*/false, weight.layer->name,
                                          weight.cancellation));
  if (!prepared.system.has_value()) prepared.system = FeedbackSystem::WithoutFeedback(order);
  const PanelRounding rounding = {options_.grid, 128, GroupPositions(order, group, w.columns - count), nullptr};
  QuantizedMatrix matrix(w.rows, w.columns, options_.grid);
  std::vector<float> kept(w.rows * count);
  TERSOR_RETURN_IF_ERROR(ParallelFor(weight.threads, (w.rows + kPanelRows - 1) / kPanelRows, [&](int64_t task) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(weight.cancellation));
    const int64_t first = task * kPanelRows, rows = std::min(kPanelRows, w.rows - first);
    RoundingPanel panel(w.columns);
    panel.Load(w.Rows(first, rows), order);
    RoundPanel(*prepared.system, rounding, panel);
    panel.Store(order, rounding.groups, first, matrix);
    for (int64_t k = w.columns - count; k < w.columns; ++k) {
      const int64_t at = std::lower_bound(floats.begin(), floats.end(), order[k]) - floats.begin();
      for (int64_t row = 0; row < rows; ++row) kept[(first + row) * count + at] = panel.Value(k, row);
    }
    return absl::OkStatus();
  }));
  ClearColumns(floats, matrix);
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, matrix.Encode());
  if (count > 0) {
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr columns,
                            ColumnsTensor::Create({w.rows, w.columns}, {floats.begin(), floats.end()}, kept));
    TERSOR_ASSIGN_OR_RETURN(encoded, SumTensor::Create({std::move(encoded), std::move(columns)}));
  }
  return EncodedLayer{std::move(encoded), prepared.note, prepared.damping,
                      static_cast<double>(count) / static_cast<double>(w.columns), std::move(prepared.warnings)};
}

}  // namespace tersor
