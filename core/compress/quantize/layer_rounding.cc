#include "core/compress/quantize/layer_rounding.h"

#include <algorithm>
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

double Sum(const std::vector<float>& panel, const MomentForm* form) {
  if (form == nullptr) {
    double sum = 0;
    for (const float value : panel) sum += static_cast<double>(value) * value;
    return sum;
  }
  PanelLosses losses{};
  form->AddLosses(panel.data(), losses);
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

}  // namespace

double RelativeError(ConstMatrixView weights, ConstMatrixView rounded, const MomentForm* form, int threads) {
  const int64_t tasks = (weights.rows + kPanelRows - 1) / kPanelRows;
  std::vector<Energy> energies(tasks);
  RunTasks(threads, tasks, [&](int64_t t) {
    const int64_t first = t * kPanelRows, count = std::min(kPanelRows, weights.rows - first);
    const std::vector<float> rows = ToPanel(weights.Rows(first, count));
    std::vector<float> errors = ToPanel(rounded.Rows(first, count));
    for (size_t i = 0; i < errors.size(); ++i) errors[i] -= rows[i];
    energies[t] = {Sum(errors, form), Sum(rows, form)};
  });
  Energy sum;
  for (const Energy& energy : energies) {
    sum.error += energy.error;
    sum.output += energy.output;
  }
  return sum.output > 0 ? std::max(sum.error, 0.0) / sum.output : 0;
}

absl::Status CheckFiniteWeights(ConstMatrixView weights) {
  for (int64_t i = 0; i < weights.rows; ++i) {
    for (int64_t j = 0; j < weights.columns; ++j) {
      if (std::isfinite(weights.at(i, j))) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("weight [", i, ", ", j, "] is ", weights.at(i, j), ", not a finite number"));
    }
  }
  return absl::OkStatus();
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
    const std::vector<float> weights = target.weight->Decode();
    const ConstMatrixView view(weights.data(), target.layer.outputs, target.layer.inputs);
    const absl::Status finite = CheckFiniteWeights(view);
    if (!finite.ok()) return Annotate(finite, target.layer.name);
    absl::StatusOr<EncodedLayer> encoded =
        encode({&target.layer, view, task.statistics, task.threads, task.cancellation});
    if (!encoded.ok()) return Annotate(encoded.status(), target.layer.name);
    const std::vector<float> rounded = encoded->weight->Decode();
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
