#include "core/compress/quantize/rtn.h"

#include <numeric>
#include <span>
#include <utility>

#include "core/compress/quantize/quantize_config.h"
#include "core/kernels/parallel.h"

namespace tersor {

MethodDescription RtnMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Round to nearest on a scaled integer grid; reads no calibration text",
          .reference = "",
          .options = {{"bits", "integer", "4", "Bits of a weight, 2 to 8"},
                      {"group_size", "integer", "64", "Weights of a row that share a scale; -1: one scale a row"},
                      {"symmetric", "boolean", "true", "No zero points"},
                      {"scale_search", "minmax | mse", "minmax",
                       "The grid spans the group's weights, or has the least squared error of about a hundred"}}};
}

PlannedEncoding RtnMethod::Encoding(const LinearLayer& layer) const { return GroupIntEncoding(options_, layer); }

std::vector<FieldViolation> RtnMethod::CheckLayers(const std::vector<LinearLayer>& layers,
                                                   const std::string& field) const {
  return CheckGroupSize(options_, layers, field);
}

LayerCost RtnMethod::Cost(const LinearLayer& layer) const {
  const int64_t weights = layer.outputs * layer.inputs;
  // Floats, codes and packed codes; a search tries a hundred grids at about six operations a weight.
  const double tries = options_.search == v1::SCALE_SEARCH_MINMAX ? 1 : 100;
  return {.scratch_bytes = weights * 6, .operations = static_cast<double>(weights) * (20 + 6 * tries)};
}

absl::StatusOr<RoundedMatrix> RoundToNearest(ConstMatrixView weights, const GridOptions& options, int threads) {
  TERSOR_RETURN_IF_ERROR(CheckWeights(weights, options));
  const int64_t columns = weights.columns, group = options.GroupColumns(columns);
  RoundedMatrix rounded{QuantizedMatrix(weights.rows, columns, options), 0};
  QuantizedMatrix& matrix = rounded.matrix;
  std::vector<double> errors(weights.rows), squares(weights.rows);
  TERSOR_RETURN_IF_ERROR(ParallelFor(threads, weights.rows, [&](int64_t row) {
    for (int64_t first = 0; first < columns; first += group) {
      const std::span<const float> values(weights.row(row) + first, group);
      GridCandidate& grid = matrix.grids[row * matrix.groups() + first / group];
      grid = FitGrid(values, {}, options);
      RoundToGrid(values.data(), group, grid, static_cast<float>(options.max_code()),
                  matrix.codes.data() + row * columns + first);
    }
    for (int64_t j = 0; j < columns; ++j) {
      const double weight = weights.at(row, j), error = weight - matrix.Value(row, j);
      errors[row] += error * error;
      squares[row] += weight * weight;
    }
    return absl::OkStatus();
  }));
  const double total = std::accumulate(squares.begin(), squares.end(), 0.0);
  if (total > 0) rounded.relative_error = std::accumulate(errors.begin(), errors.end(), 0.0) / total;
  return rounded;
}

absl::StatusOr<SegmentOutcome> RtnMethod::Apply(const SegmentTask& task) const {
  SegmentOutcome outcome;
  for (const TargetLayer& target : task.layers) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(task.cancellation));
    const std::vector<float> weights = target.weight->Decode();
    absl::StatusOr<RoundedMatrix> rounded =
        RoundToNearest({weights.data(), target.layer.outputs, target.layer.inputs}, options_, task.threads);
    if (!rounded.ok()) return Annotate(rounded.status(), target.layer.name);
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, rounded->matrix.Encode());
    outcome.layers.push_back(DescribeLayer(target.layer.name, *encoded, rounded->relative_error));
    outcome.replacements.push_back({target.layer.name + ".weight", std::move(encoded)});
  }
  return outcome;
}

}  // namespace tersor
