// Scaling of input channels before rounding: what SmoothQuant, AWQ and Outlier Suppression+ have in common.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_CHANNEL_SCALING_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_CHANNEL_SCALING_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/compress/method.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layer_weight.h"
#include "core/model/fold_group.h"

namespace tersor {

// A fold group of a block with what is known of the channels that it scales.
struct ScaledGroup {
  const FoldGroup* group = nullptr;
  // Weights of the readers, decoded, [rows, inputs] each.
  std::vector<WeightValues> weights;
  const InputStatistics* statistics = nullptr;
  int threads = 1;
  const CancellationToken* cancellation = nullptr;

  int64_t inputs() const { return static_cast<int64_t>(group->output_of.size()); }
  // Largest magnitude of each input's weights over all readers.
  std::vector<float> WeightAbsMax() const;
  // About `rows` rows of each reader, evenly spaced, as panels (grid_rounding.h): enough to tell scalings apart.
  std::vector<std::vector<float>> JudgePanels(int64_t rows) const;
  // One value for each output of the maker: the largest of the inputs that it makes.
  std::vector<float> LargestByOutput(const std::vector<float>& by_input) const;
  // The scale of each input.
  std::vector<float> ByInput(const std::vector<float>& by_output) const;
};

// A panel of rows, each input's weights times its scale, rounded to nearest: still so scaled.
std::vector<float> RoundScaledPanel(const std::vector<float>& panel, const std::vector<float>& scales,
                                    const GridOptions& grid);

// A scale above 0 for each output of the group's maker.
using ChooseScales = std::function<absl::StatusOr<std::vector<float>>(const ScaledGroup& group)>;

// Scales every group of the block whose readers all belong to the task: replacements of makers and readers, and a
// warning for each group that lacks a reader. `norms_only` leaves out groups whose maker is a linear layer.
absl::StatusOr<SegmentOutcome> ScaleChannels(const BlockTask& task, bool norms_only, const ChooseScales& choose);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_CHANNEL_SCALING_H_
