// What a plan says of weights that are no numbers. Private to core/pipeline.
#ifndef TERSOR_CORE_PIPELINE_WEIGHT_WARNINGS_H_
#define TERSOR_CORE_PIPELINE_WEIGHT_WARNINGS_H_

#include <vector>

#include "core/model/model.h"
#include "core/pipeline/pipeline.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// A warning NON_FINITE_WEIGHTS that names the first parameter with NaN or infinity, and its element; none for sound
// weights. Looks at all of them on `context.threads` threads, once a content (source.sha256): the answer is kept in
// `context.cache_dir`.
std::vector<v1::Warning> NonFiniteWarnings(const Model& model, const PipelineContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_WEIGHT_WARNINGS_H_
