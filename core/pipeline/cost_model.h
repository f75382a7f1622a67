// Upper bounds of time, memory and disk, from shapes alone.
#ifndef TERSOR_CORE_PIPELINE_COST_MODEL_H_
#define TERSOR_CORE_PIPELINE_COST_MODEL_H_

#include <cstdint>

#include "core/evaluate/performance.h"
#include "core/evaluate/tasks/loaded_task.h"
#include "core/model/model.h"

namespace tersor {

// What this process has mapped and allocated before it does anything with a model.
inline constexpr int64_t kProcessBytes = int64_t{320} << 20;

// The same of a process that works with `model`: the program, and the tokenizer, whose tables take many times its text.
int64_t ProcessBytes(const Model& model);

struct StageCost {
  double seconds = 0;
  int64_t peak_bytes = 0;
};

// Floating-point operations of one token through all blocks (attention over `context` positions), and through the head.
double BlockFlopsPerToken(const ModelSpec& spec, int64_t context);
double HeadFlopsPerToken(const ModelSpec& spec);

// Scoring `tokens` positions in windows of `window`, `scored` of which reach the head; `heads` is 2 with divergence.
StageCost ScoringCost(const ModelSpec& spec, int64_t tokens, int64_t scored, int64_t window, int heads, int threads);
// One model's answers to a task's items, as far as the texts' bytes tell.
StageCost TaskCost(const ModelSpec& spec, const LoadedTask& task, int threads);
// Prefill and decode of one or two resident models.
StageCost PerformanceCost(const Model& model, const PerformanceOptions& options, int subjects);
// One pass of the dense model over the calibration text, statistics gathered.
StageCost StatisticsCost(const ModelSpec& spec, int64_t tokens, int threads);
// Writing, reopening and comparing the container.
StageCost ContainerCost(const Model& model, int64_t bytes);
// The same of `bytes` of files in another format, for which weights are decoded.
StageCost WritingCost(const Model& model, int64_t bytes);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_COST_MODEL_H_
