#include "core/compress/quantize/layer_rounding.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "core/compress/outlier_check.h"
#include "core/encoding/input_format_tensor.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"

namespace tersor {
namespace {

double Loss(const std::vector<float>& panel, const MomentForm& form) {
  PanelLosses losses{};
  form.AddLosses(panel.data(), losses);
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

SquareSums SumsOf(ConstMatrixView weights, ConstMatrixView rounded, const MomentForm* form) {
  if (form == nullptr) return SumSquares(weights.data, rounded.data, weights.rows * weights.columns);
  const std::vector<float> rows = ToPanel(weights);
  std::vector<float> errors = ToPanel(rounded);
  for (size_t i = 0; i < errors.size(); ++i) errors[i] -= rows[i];
  return {Loss(errors, *form), Loss(rows, *form)};
}

}  // namespace

double RelativeError(std::span<const SquareSums> parts) {
  SquareSums all;
  for (const SquareSums& part : parts) {
    all.error += part.error;
    all.energy += part.energy;
  }
  return all.energy > 0 ? std::max(all.error, 0.0) / all.energy : 0;
}

double RelativeError(const EncodedTensor& weight, const EncodedTensor& rounded, const MomentForm* form, int threads) {
  const int64_t rows = weight.rows(), columns = weight.columns(), tiles = (rows + kTileRows - 1) / kTileRows;
  std::vector<SquareSums> sums(tiles);
  RunTasks(threads, tiles, [&](int64_t tile) {
    const int64_t first = tile * kTileRows, count = std::min(kTileRows, rows - first);
    ScratchBuffer weights(count * columns), values(count * columns);
    weight.DecodeRows(first, count, weights.data());
    rounded.DecodeRows(first, count, values.data());
    sums[tile] = SumsOf({weights.data(), count, columns}, {values.data(), count, columns}, form);
  });
  return RelativeError(sums);
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
    std::vector<float> magnitudes;
    absl::StatusOr<EncodedLayer> encoded =
        encode({&target.layer, target.weight.get(), task.statistics, task.threads, task.cancellation, &magnitudes});
    if (!encoded.ok()) return Annotate(encoded.status(), target.layer.name);
    if (std::optional<v1::Warning> outlier = FindWeightOutlier(target.layer.name, magnitudes)) {
      outcome.warnings.push_back(*std::move(outlier));
    }
    const double error =
        !form.has_value() && encoded->weight_error.has_value()
            ? *encoded->weight_error
            : RelativeError(*target.weight, *encoded->weight, form.has_value() ? &*form : nullptr, task.threads);
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
