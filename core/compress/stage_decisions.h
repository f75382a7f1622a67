// What stages decide for a whole model before the first layer is changed.
#ifndef TERSOR_CORE_COMPRESS_STAGE_DECISIONS_H_
#define TERSOR_CORE_COMPRESS_STAGE_DECISIONS_H_

#include <vector>

#include "core/base/status.h"
#include "core/calibration/token_batches.h"
#include "core/compress/block_walk.h"
#include "core/model/model.h"
#include "nlohmann/json_fwd.hpp"

namespace tersor {

// One for each stage, in order; null of those that decide nothing (Method::decides). They are taken from the checkpoint
// where it has them, else made of one pass over the dense model's blocks, one in memory at a time, and put there: what
// a broken-off walk has begun goes on with what it had decided. DATA_LOSS where the checkpoint's are not such a list.
absl::StatusOr<std::vector<nlohmann::json>> DecideStages(const Model& dense, const WalkStages& stages,
                                                         const CalibrationTokens& calibration,
                                                         const BlockWalkOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_STAGE_DECISIONS_H_
