// What the inputs of a model's linear layers look like on calibration text, for whoever wants to see them.
#ifndef TERSOR_CORE_COMPRESS_LAYER_STATISTICS_H_
#define TERSOR_CORE_COMPRESS_LAYER_STATISTICS_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/calibration/input_statistics.h"
#include "core/calibration/token_batches.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

// Layers that read the same inputs, and what was gathered of these.
struct LayerStatistics {
  std::vector<std::string> layers;
  InputStatistics statistics;
};

// One pass over the blocks of the model as it is, in the blocks' and segments' order. `on_block` (may be null) hears
// how many blocks are done, of how many. INVALID_ARGUMENT names the layers whose inputs are not finite.
absl::StatusOr<std::vector<LayerStatistics>> GatherLayerStatistics(const Model& model,
                                                                   const std::set<Statistic>& wanted,
                                                                   const CalibrationTokens& calibration,
                                                                   const ComputeOptions& options,
                                                                   const CancellationToken* cancellation,
                                                                   const std::function<void(int, int)>& on_block);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_LAYER_STATISTICS_H_
