// What a walk will cost, from shapes alone.
#ifndef TERSOR_CORE_COMPRESS_COMPRESSION_ESTIMATE_H_
#define TERSOR_CORE_COMPRESS_COMPRESSION_ESTIMATE_H_

#include <cstdint>
#include <vector>

#include "core/compress/resolved_stages.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

// Upper bounds.
struct WalkEstimate {
  double seconds = 0;
  int64_t peak_memory_bytes = 0;
};

// The share of `stage` in the walk, or the whole walk's memory: all stages share one walk, whose forward pass is
// counted with the first stage that needs it (`counts_forward`).
WalkEstimate EstimateStage(const Model& model, const ResolvedStage& stage, int64_t calibration_tokens,
                           const ComputeOptions& options, bool counts_forward);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_COMPRESSION_ESTIMATE_H_
