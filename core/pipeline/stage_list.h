// The stages of a job, in order, with the names that reports, events and checkpoints share.
#ifndef TERSOR_CORE_PIPELINE_STAGE_LIST_H_
#define TERSOR_CORE_PIPELINE_STAGE_LIST_H_

#include <string>
#include <vector>

#include "core/evaluate/tasks/loaded_task.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

inline constexpr char kWriteStage[] = "write";
inline constexpr char kOverlapStage[] = "evaluate:overlap";
// More items of the tasks that undecided gates rest on.
inline constexpr char kExtensionStage[] = "evaluate:extend";
// More windows of their texts.
inline constexpr char kTextExtensionStage[] = "evaluate:extend:text";
inline constexpr char kPerformanceStage[] = "evaluate:performance";

// "evaluate:dense:0", "evaluate:compressed:0": the i-th perplexity of the recipe.
std::string DenseStageName(int perplexity);
std::string CompressedStageName(int perplexity);
// "evaluate:baseline_model:0".
std::string BaselineModelStageName(int perplexity);
// "arc_easy", "mmlu:5shot", "boolq:chat": a task told apart from the same task asked otherwise.
std::string TaskLabel(const LoadedTask& task);
// "evaluate:dense:task:arc_easy"; `subject` is "dense", "compressed" or "baseline_model".
std::string TaskStageName(absl::string_view subject, const LoadedTask& task);
std::string ExportStageName(const std::string& format);

// Whether there is a compressed model to set against a dense one: the recipe has stages, or names the original of what
// another tool compressed. Without, the model is only evaluated and exported.
bool Compresses(const v1::Recipe& recipe);
// Divergence is measured unless switched off, on the first perplexity, where there is one and the model is compressed.
bool MeasuresDivergence(const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_STAGE_LIST_H_
