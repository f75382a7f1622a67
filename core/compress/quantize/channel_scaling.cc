#include "core/compress/quantize/channel_scaling.h"

#include <algorithm>
#include <utility>

#include "core/base/warning.h"
#include "core/compress/quantize/moment_form.h"
#include "core/kernels/column_absmax.h"

namespace tersor {
namespace {

bool Owns(const BlockTask& task, const std::string& reader) {
  return std::any_of(task.layers.begin(), task.layers.end(), [&](const auto& layer) { return layer.name == reader; });
}

v1::Warning NotFolded(const FoldGroup& group) {
  return MakeWarning("CHANNELS_NOT_SCALED",
                     "not all layers that read these inputs belong to the stage, so their channels keep their scales",
                     group.readers.front());
}

absl::StatusOr<ScaledGroup> Describe(const FoldGroup& group, const BlockTask& task, const Model& model) {
  ScaledGroup scaled{&group, {}, &(*task.statistics)[group.segment], task.threads, task.cancellation};
  for (const std::string& reader : group.readers) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr weight, model.Find(reader + ".weight"));
    const LayerWeight stored = {.stored = weight.get(), .threads = task.threads, .cancellation = task.cancellation};
    absl::StatusOr<WeightValues> values = stored.Decode();
    if (!values.ok()) return Annotate(values.status(), reader);
    scaled.weights.push_back(*std::move(values));
  }
  return scaled;
}

void Put(const std::string& name, const Model& model, SegmentOutcome& outcome) {
  if (name.empty()) return;
  outcome.replacements.push_back({name, model.parameters.find(name)->second});
}

}  // namespace

std::vector<float> ScaledGroup::WeightAbsMax() const {
  std::vector<float> absmax(inputs());
  for (const WeightValues& weight : weights) {
    const ConstMatrixView rows = weight.view();
    AddColumnAbsMax(rows.data, rows.stride, rows.rows, rows.columns, absmax.data());
  }
  return absmax;
}

std::vector<std::vector<float>> ScaledGroup::JudgePanels(int64_t rows) const {
  std::vector<std::vector<float>> panels;
  for (const WeightValues& weight : weights) {
    const ConstMatrixView all = weight.view();
    const int64_t columns = all.columns, stride = std::max<int64_t>(all.rows / rows, 1), judges = all.rows / stride;
    for (int64_t first = 0; first < judges; first += kPanelRows) {
      const int64_t count = std::min(kPanelRows, judges - first);
      panels.push_back(ToPanel({all.row(first * stride), count, columns, stride * columns}));
    }
  }
  return panels;
}

std::vector<float> ScaledGroup::LargestByOutput(const std::vector<float>& by_input) const {
  std::vector<float> largest(group->outputs);
  for (size_t i = 0; i < by_input.size(); ++i) {
    float& value = largest[group->output_of[i]];
    value = std::max(value, by_input[i]);
  }
  return largest;
}

std::vector<float> ScaledGroup::ByInput(const std::vector<float>& by_output) const {
  std::vector<float> values;
  for (const int64_t output : group->output_of) values.push_back(by_output[output]);
  return values;
}

std::vector<float> RoundScaledPanel(const std::vector<float>& panel, const std::vector<float>& scales,
                                    const GridOptions& grid) {
  const int64_t columns = static_cast<int64_t>(scales.size()), group = grid.GroupColumns(columns);
  std::vector<float> scaled(panel.size()), codes(group * kPanelRows);
  for (int64_t k = 0; k < columns; ++k) {
    for (int64_t r = 0; r < kPanelRows; ++r) scaled[k * kPanelRows + r] = panel[k * kPanelRows + r] * scales[k];
  }
  for (int64_t first = 0; first < columns; first += group) {
    float* values = scaled.data() + first * kPanelRows;
    const PanelGrids grids = FitGrids(values, group, nullptr, grid);
    RoundPanelToGrids(values, group, grids.scales.data(), grids.zero_points.data(), static_cast<float>(grid.max_code()),
                      codes.data(), values);
  }
  return scaled;
}

absl::StatusOr<SegmentOutcome> ScaleChannels(const BlockTask& task, bool norms_only, const ChooseScales& choose) {
  SegmentOutcome outcome;
  Model model = *task.model;
  const std::vector<FoldGroup> groups = FoldGroupsOf(model, task.block);
  for (const FoldGroup& group : groups) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(task.cancellation));
    if (norms_only && !group.is_norm) continue;
    const auto owned = std::count_if(group.readers.begin(), group.readers.end(),
                                     [&](const std::string& reader) { return Owns(task, reader); });
    if (owned == 0) continue;
    if (owned < static_cast<int64_t>(group.readers.size())) {
      outcome.warnings.push_back(NotFolded(group));
      continue;
    }
    TERSOR_ASSIGN_OR_RETURN(const ScaledGroup scaled, Describe(group, task, model));
    TERSOR_ASSIGN_OR_RETURN(const std::vector<float> scales, choose(scaled));
    TERSOR_RETURN_IF_ERROR(FoldScales(group, scales, model));
    outcome.input_scales.push_back({group.segment, scaled.ByInput(scales)});
    Put(group.maker, model, outcome);
    Put(group.maker_bias, model, outcome);
    for (const std::string& reader : group.readers) Put(reader + ".weight", model, outcome);
  }
  return outcome;
}

}  // namespace tersor
