// Models' answers on a text: dense ones from the cache or measured, the compressed one beside its original.
#ifndef TERSOR_CORE_PIPELINE_TEXT_EVALUATION_H_
#define TERSOR_CORE_PIPELINE_TEXT_EVALUATION_H_

#include "core/base/status.h"
#include "core/evaluate/dense_baseline.h"
#include "core/evaluate/protocol.h"
#include "core/pipeline/job_parts.h"

namespace tersor {

// Kept under the model's content (`model.source.sha256`), the protocol and the arithmetic for every later job.
absl::StatusOr<DenseBaseline> MeasureDense(const JobParts& parts, const Model& model, const Protocol& protocol,
                                           const ScoredWindows& windows, bool keep_hidden);

// Adds the compressed model's result on the recipe's `index`-th text to the report, on the first one with its
// divergence from the dense model.
absl::Status EvaluateCompressed(const JobParts& parts, int index, const ScoredWindows& windows);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_TEXT_EVALUATION_H_
