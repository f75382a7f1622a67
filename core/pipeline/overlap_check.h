// Whether what is evaluated was seen in calibration.
#ifndef TERSOR_CORE_PIPELINE_OVERLAP_CHECK_H_
#define TERSOR_CORE_PIPELINE_OVERLAP_CHECK_H_

#include "core/base/status.h"
#include "core/pipeline/job_parts.h"

namespace tersor {

// From this share of an evaluated text's runs on the report warns (CALIBRATION_OVERLAP): what two parts of one corpus
// have in common by chance lies far below.
inline constexpr double kHighOverlap = 0.01;

// Whether the job has both a calibration text and something to evaluate.
bool ChecksOverlap(const JobInputs& inputs);

// A stage that adds one overlap for each perplexity's text and each task to the report: runs of kOverlapTokens tokens
// that the calibration sequences have too. A task's items are taken with their first right continuation, without shots.
absl::Status CheckOverlap(const JobParts& parts);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_OVERLAP_CHECK_H_
