#include "core/compress/quantize/layer_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/input_format_tensor.h"
#include "core/kernels/parallel.h"

namespace tersor {
namespace {

struct Energy {
  double error = 0;
  double output = 0;
};

// Rows decoded, compared and checked together.
constexpr int64_t kRowsATask = 64;
// Plain loops add this many sums side by side, which compilers turn into vectors.
constexpr int64_t kSums = 8;

double Loss(const std::vector<float>& panel, const MomentForm& form) {
  PanelLosses losses{};
  form.AddLosses(panel.data(), losses);
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

// Of weights and rounded ones, their squares and those of their differences.
Energy SquaresOf(const float* weights, const float* rounded, int64_t count) {
  std::array<double, kSums> errors{}, squares{};
  const auto add = [&](int64_t i, int64_t k) {
    const double weight = weights[i], error = rounded[i] - weight;
    errors[k] += error * error;
    squares[k] += weight * weight;
  };
  int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int64_t k = 0; k < kSums; ++k) add(i + k, k);
  }
  for (; i < count; ++i) add(i, 0);
  return {std::accumulate(errors.begin(), errors.end(), 0.0), std::accumulate(squares.begin(), squares.end(), 0.0)};
}

// Zero times an infinity or NaN is NaN, and stays it.
bool AllFinite(const float* values, int64_t count) {
  std::array<float, kSums> sums{};
  int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int64_t k = 0; k < kSums; ++k) sums[k] += values[i + k] * 0;
  }
  for (; i < count; ++i) sums[0] += values[i] * 0;
  return std::all_of(sums.begin(), sums.end(), [](float sum) { return sum == 0; });
}

}  // namespace

double RelativeError(ConstMatrixView weights, ConstMatrixView rounded, const MomentForm* form, int threads) {
  const int64_t tasks = (weights.rows + kPanelRows - 1) / kPanelRows;
  std::vector<Energy> energies(tasks);
  RunTasks(threads, tasks, [&](int64_t t) {
    const int64_t first = t * kPanelRows, count = std::min(kPanelRows, weights.rows - first);
    if (form == nullptr) {
      for (int64_t row = first; row < first + count; ++row) {
        const Energy energy = SquaresOf(weights.row(row), rounded.row(row), weights.columns);
        energies[t].error += energy.error;
        energies[t].output += energy.output;
      }
      return;
    }
    const std::vector<float> rows = ToPanel(weights.Rows(first, count));
    std::vector<float> errors = ToPanel(rounded.Rows(first, count));
    for (size_t i = 0; i < errors.size(); ++i) errors[i] -= rows[i];
    energies[t] = {Loss(errors, *form), Loss(rows, *form)};
  });
  Energy sum;
  for (const Energy& energy : energies) {
    sum.error += energy.error;
    sum.output += energy.output;
  }
  return sum.output > 0 ? std::max(sum.error, 0.0) / sum.output : 0;
}

std::vector<float> DecodeMatrix(const EncodedTensor& matrix, int threads) {
  const int64_t rows = matrix.rows(), columns = matrix.columns();
  std::vector<float> values(rows * columns);
  RunTasks(threads, (rows + kRowsATask - 1) / kRowsATask, [&](int64_t task) {
    const int64_t first = task * kRowsATask;
    matrix.DecodeRows(first, std::min(kRowsATask, rows - first), values.data() + first * columns);
  });
  return values;
}

absl::StatusOr<std::vector<float>> DecodeFiniteWeight(const std::string& name, const EncodedTensor& weight,
                                                      int threads) {
  std::vector<float> values = DecodeMatrix(weight, threads);
  const int64_t rows = weight.rows(), columns = weight.columns();
  TERSOR_RETURN_IF_ERROR(ParallelFor(threads, (rows + kRowsATask - 1) / kRowsATask, [&](int64_t task) {
    const int64_t end = std::min(rows, (task + 1) * kRowsATask);
    for (int64_t row = task * kRowsATask; row < end; ++row) {
      const float* begin = values.data() + row * columns;
      if (AllFinite(begin, columns)) continue;
      const auto at = std::find_if_not(begin, begin + columns, [](float x) { return std::isfinite(x); }) - begin;
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": weight [", row, ", ", at, "] is ", begin[at], ", not a finite number"));
    }
    return absl::OkStatus();
  }));
  return values;
}

absl::StatusOr<SegmentOutcome> EncodeLayers(const SegmentTask& task, const EncodeLayer& encode,
                                            const ActivationFormatPtr& input_format) {
  SegmentOutcome outcome;
  std::optional<MomentForm> form;
  if (task.statistics != nullptr && task.statistics->wants(Statistic::kSecondMoment)) {
    form.emplace(task.statistics->second_moment());
  }
  for (const TargetLayer& target : task.layers) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(task.cancellation));
    TERSOR_ASSIGN_OR_RETURN(const std::vector<float> weights,
                            DecodeFiniteWeight(target.layer.name, *target.weight, task.threads));
    const ConstMatrixView view(weights.data(), target.layer.outputs, target.layer.inputs);
    absl::StatusOr<EncodedLayer> encoded =
        encode({&target.layer, view, task.statistics, task.threads, task.cancellation});
    if (!encoded.ok()) return Annotate(encoded.status(), target.layer.name);
    const std::vector<float> rounded = DecodeMatrix(*encoded->weight, task.threads);
    const double error = RelativeError(view, ConstMatrixView(rounded.data(), view.rows, view.columns),
                                       form.has_value() ? &*form : nullptr, task.threads);
    EncodedTensorPtr weight = std::move(encoded->weight);
    if (input_format != nullptr) {
      TERSOR_ASSIGN_OR_RETURN(weight, InputFormatTensor::Create(std::move(weight), input_format));
    }
    v1::LayerResult& layer =
        outcome.layers.emplace_back(DescribeLayer(target.layer.name, *weight, error, encoded->note));
    layer.set_damping(encoded->damping);
    layer.set_outlier_share(encoded->outlier_share);
    if (task.statistics != nullptr) layer.set_dead_columns(task.statistics->DeadInputs());
    std::move(encoded->warnings.begin(), encoded->warnings.end(), std::back_inserter(outcome.warnings));
    outcome.replacements.push_back({target.layer.name + ".weight", std::move(weight)});
  }
  return outcome;
}

}  // namespace tersor
