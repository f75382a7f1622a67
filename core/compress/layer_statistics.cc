#include "core/compress/layer_statistics.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compress/activation_stream.h"
#include "core/model/block.h"

namespace tersor {

absl::StatusOr<std::vector<LayerStatistics>> GatherLayerStatistics(const Model& model,
                                                                   const std::set<Statistic>& wanted,
                                                                   const CalibrationTokens& calibration,
                                                                   const ComputeOptions& options,
                                                                   const CancellationToken* cancellation,
                                                                   const std::function<void(int, int)>& on_block) {
  std::vector<LayerStatistics> gathered;
  ActivationStream stream(calibration.offsets, model.spec.width, cancellation);
  TERSOR_RETURN_IF_ERROR(stream.Embed(model, calibration.ids));
  const int blocks = static_cast<int>(model.spec.layers.size());
  for (int b = 0; b < blocks; ++b) {
    TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Block> block, Block::Load(model, b, ForCalibration(options)));
    TERSOR_RETURN_IF_ERROR(stream.Enter(*block));
    const int segments = static_cast<int>(block->segments().size());
    for (int s = 0; s < segments; ++s) {
      const Segment& segment = block->segments()[s];
      LayerStatistics& entry = gathered.emplace_back(LayerStatistics{{}, InputStatistics(segment.input_width, wanted)});
      for (const LinearLayer& layer : segment.linears) entry.layers.push_back(layer.name);
      const absl::Status status =
          entry.statistics.Add({.inputs = stream.inputs(), .dense_inputs = {}}, options.threads, cancellation);
      if (!status.ok()) return Annotate(status, absl::StrCat("inputs of ", entry.layers.front()));
      // Nobody reads what the last block makes of its input.
      if (s + 1 < segments || b + 1 < blocks) TERSOR_RETURN_IF_ERROR(stream.Run(*block, s));
    }
    stream.DropInputs();
    if (on_block) on_block(b + 1, blocks);
  }
  return gathered;
}

}  // namespace tersor
