#include "core/compress/quantize/rtn.h"

#include <algorithm>
#include <utility>

#include "core/compress/quantize/moment_form.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/span_rounding.h"
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

absl::StatusOr<QuantizedMatrix> RoundToNearest(ConstMatrixView weights, const GridOptions& options, int threads) {
  TERSOR_RETURN_IF_ERROR(CheckWeights(weights, options));
  const int64_t columns = weights.columns, group = options.GroupColumns(columns);
  QuantizedMatrix matrix(weights.rows, columns, options);
  RunTasks(threads, (weights.rows + kPanelRows - 1) / kPanelRows, [&](int64_t task) {
    const int64_t begin = task * kPanelRows, end = std::min(weights.rows, begin + kPanelRows);
    const std::vector<float> panel = ToPanel(weights.Rows(begin, end - begin));
    for (int64_t first = 0; first < columns; first += group) {
      const PanelGrids grids = FitGrids(panel.data() + first * kPanelRows, group, nullptr, options);
      for (int64_t row = begin; row < end; ++row) {
        const GridCandidate grid = {grids.scales[row - begin], grids.zero_points[row - begin]};
        matrix.grids[row * matrix.groups() + first / group] = grid;
        RoundToGrid(weights.row(row) + first, group, grid, static_cast<float>(options.max_code()),
                    matrix.codes.data() + row * columns + first);
      }
    }
  });
  return matrix;
}

absl::StatusOr<EncodedLayer> EncodeToNearest(const LayerWeight& weight, const GridOptions& options) {
  if (options.search == v1::SCALE_SEARCH_MINMAX) return EncodeToSpans(weight, options);
  TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
  TERSOR_ASSIGN_OR_RETURN(const QuantizedMatrix rounded, RoundToNearest(values.view(), options, weight.threads));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, rounded.Encode());
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
