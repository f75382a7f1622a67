// The stages of a job, in order, with the names that reports, events and checkpoints share.
#ifndef TERSOR_CORE_PIPELINE_STAGE_LIST_H_
#define TERSOR_CORE_PIPELINE_STAGE_LIST_H_

#include <string>
#include <vector>

#include "tersor/v1/recipe.pb.h"

namespace tersor {

inline constexpr char kWriteStage[] = "write";
inline constexpr char kPerformanceStage[] = "evaluate:performance";

// "evaluate:dense:0", "evaluate:compressed:0": the i-th perplexity of the recipe.
std::string DenseStageName(int perplexity);
std::string CompressedStageName(int perplexity);
std::string ExportStageName(const std::string& format);

// Whether the recipe changes the model at all; one that does not is only evaluated and exported.
bool Compresses(const v1::Recipe& recipe);
// Divergence is measured unless switched off, on the first perplexity, where there is one and the model is compressed.
bool MeasuresDivergence(const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_STAGE_LIST_H_
