#include "core/compress/quantize/layer_rounding.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/input_format_tensor.h"
#include "core/kernels/parallel.h"
#include "core/linalg/products.h"

namespace tersor {
namespace {

constexpr int64_t kRowsATask = 64;

struct Energy {
  double error = 0;
  double output = 0;
};

// sum over rows of row M row^T, M symmetric and full.
double MomentEnergy(ConstMatrixView rows, ConstMatrixView moment) {
  std::vector<float> product(rows.rows * rows.columns);
  AddProduct(rows, moment, MatrixView(product.data(), rows.rows, rows.columns));
  double energy = 0;
  for (int64_t i = 0; i < rows.rows; ++i) {
    for (int64_t j = 0; j < rows.columns; ++j)
      energy += static_cast<double>(product[i * rows.columns + j]) * rows.at(i, j);
  }
  return energy;
}

double SquaredNorm(ConstMatrixView rows) {
  double sum = 0;
  for (int64_t i = 0; i < rows.rows; ++i) {
    for (int64_t j = 0; j < rows.columns; ++j) sum += static_cast<double>(rows.at(i, j)) * rows.at(i, j);
  }
  return sum;
}

std::vector<float> FullMoment(ConstMatrixView lower) {
  std::vector<float> full(lower.rows * lower.columns);
  for (int64_t i = 0; i < lower.rows; ++i) {
    for (int64_t j = 0; j <= i; ++j) full[i * lower.columns + j] = full[j * lower.columns + i] = lower.at(i, j);
  }
  return full;
}

}  // namespace

double RelativeError(ConstMatrixView weights, ConstMatrixView rounded, ConstMatrixView moment, int threads) {
  const int64_t tasks = (weights.rows + kRowsATask - 1) / kRowsATask, columns = weights.columns;
  const std::vector<float> full = FullMoment(moment);
  std::vector<Energy> energies(tasks);
  RunTasks(threads, tasks, [&](int64_t t) {
    const int64_t first = t * kRowsATask, count = std::min(kRowsATask, weights.rows - first);
    const ConstMatrixView rows = weights.Rows(first, count);
    std::vector<float> errors(count * columns);
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t j = 0; j < columns; ++j) errors[i * columns + j] = rounded.at(first + i, j) - rows.at(i, j);
    }
    const ConstMatrixView difference(errors.data(), count, columns);
    const ConstMatrixView square(full.data(), columns, columns);
    energies[t] = full.empty() ? Energy{SquaredNorm(difference), SquaredNorm(rows)}
                               : Energy{MomentEnergy(difference, square), MomentEnergy(rows, square)};
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
  const ConstMatrixView moment = task.statistics == nullptr ? ConstMatrixView() : task.statistics->second_moment();
  for (const TargetLayer& target : task.layers) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(task.cancellation));
    const std::vector<float> weights = target.weight->Decode();
    const ConstMatrixView view(weights.data(), target.layer.outputs, target.layer.inputs);
    const absl::Status finite = CheckFiniteWeights(view);
    if (!finite.ok()) return Annotate(finite, target.layer.name);
    absl::StatusOr<EncodedLayer> encoded = encode({&target.layer, view, task.statistics, task.threads});
    if (!encoded.ok()) return Annotate(encoded.status(), target.layer.name);
    const std::vector<float> rounded = encoded->weight->Decode();
    const double error = RelativeError(view, ConstMatrixView(rounded.data(), view.rows, view.columns),
                                       moment.data == nullptr ? ConstMatrixView() : moment, task.threads);
    EncodedTensorPtr weight = std::move(encoded->weight);
    if (input_format != nullptr) {
      TERSOR_ASSIGN_OR_RETURN(weight, InputFormatTensor::Create(std::move(weight), input_format));
    }
    outcome.layers.push_back(DescribeLayer(target.layer.name, *weight, error, encoded->note));
    outcome.replacements.push_back({target.layer.name + ".weight", std::move(weight)});
  }
  return outcome;
}

}  // namespace tersor
