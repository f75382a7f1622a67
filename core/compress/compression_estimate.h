// What a walk will cost, from shapes alone.
#ifndef TERSOR_CORE_COMPRESS_COMPRESSION_ESTIMATE_H_
#define TERSOR_CORE_COMPRESS_COMPRESSION_ESTIMATE_H_

#include <cstdint>
#include <vector>

#include "core/compress/compress_model.h"
#include "core/compress/resolved_stages.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

// Upper bounds for the one walk that all stages share.
struct WalkEstimate {
  double seconds = 0;
  // Beside what the process has anyway.
  int64_t peak_memory_bytes = 0;
  // Of checkpoints.
  int64_t scratch_bytes = 0;
};

WalkEstimate EstimateWalk(const Model& model, const std::vector<ResolvedStage>& stages,
                          const CalibrationSize& calibration, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_COMPRESSION_ESTIMATE_H_
