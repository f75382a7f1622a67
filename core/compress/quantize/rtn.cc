#include "core/compress/quantize/rtn.h"

#include <algorithm>
#include <numeric>
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

std::unique_ptr<const Method> RtnMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                              std::vector<FieldViolation>& violations) {
  const GridOptions options = ReadRtnConfig(stage.rtn(), field, violations);
  return std::make_unique<RtnMethod>(options, ReadActivations(stage, {}, StageField(field), violations));
}

PlannedEncoding RtnMethod::WeightEncoding(const LinearLayer& layer) const { return GroupIntEncoding(options_, layer); }

absl::StatusOr<EncodedLayer> RtnMethod::EncodeWeight(const LayerWeight& weight) const {
  return EncodeToNearest(weight, options_);
}

// A search tries a hundred grids at about six operations a weight.
double RtnMethod::OperationsAWeight() const { return options_.search == v1::SCALE_SEARCH_MINMAX ? 26 : 620; }

absl::StatusOr<RoundedMatrix> RoundToNearest(ConstMatrixView weights, const GridOptions& options, int threads) {
  TERSOR_RETURN_IF_ERROR(CheckWeights(weights, options));
  const int64_t columns = weights.columns, group = options.GroupColumns(columns);
  RoundedMatrix rounded{QuantizedMatrix(weights.rows, columns, options), 0};
  QuantizedMatrix& matrix = rounded.matrix;
  std::vector<double> errors(weights.rows), squares(weights.rows);
  const int64_t panels = (weights.rows + kPanelRows - 1) / kPanelRows;
  TERSOR_RETURN_IF_ERROR(ParallelFor(threads, panels, [&](int64_t panel) {
    const int64_t begin = panel * kPanelRows, end = std::min(weights.rows, begin + kPanelRows);
    std::vector<float> values(group * kPanelRows);
    for (int64_t first = 0; first < columns; first += group) {
      for (int64_t row = begin; row < end; ++row) {
        for (int64_t k = 0; k < group; ++k) values[k * kPanelRows + row - begin] = weights.at(row, first + k);
      }
      const PanelGrids grids = FitGrids(values.data(), group, nullptr, options);
      for (int64_t row = begin; row < end; ++row) {
        const GridCandidate grid = {grids.scales[row - begin], grids.zero_points[row - begin]};
        matrix.grids[row * matrix.groups() + first / group] = grid;
        RoundToGrid(weights.row(row) + first, group, grid, static_cast<float>(options.max_code()),
                    matrix.codes.data() + row * columns + first);
      }
    }
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t j = 0; j < columns; ++j) {
        const double weight = weights.at(row, j), error = weight - matrix.Value(row, j);
        errors[row] += error * error;
        squares[row] += weight * weight;
      }
    }
    return absl::OkStatus();
  }));
  const double total = std::accumulate(squares.begin(), squares.end(), 0.0);
  if (total > 0) rounded.relative_error = std::accumulate(errors.begin(), errors.end(), 0.0) / total;
  return rounded;
}

absl::StatusOr<EncodedLayer> EncodeToNearest(const LayerWeight& weight, const GridOptions& options) {
  TERSOR_ASSIGN_OR_RETURN(const RoundedMatrix rounded, RoundToNearest(weight.values, options, weight.threads));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, rounded.matrix.Encode());
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
