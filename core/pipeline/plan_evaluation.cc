#include "core/pipeline/plan_evaluation.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/evaluate/gate_looks.h"
#include "core/pipeline/baseline_model.h"
#include "core/pipeline/loss_split.h"
#include "core/pipeline/overlap_check.h"
#include "core/pipeline/performance_evaluation.h"
#include "core/pipeline/plan_gates.h"
#include "core/pipeline/stage_list.h"

namespace tersor {

void AddPlannedStage(v1::Plan& plan, const std::string& name, const StageCost& cost, const std::string& detail) {
  v1::PlannedStage* stage = plan.add_stages();
  stage->set_name(name);
  stage->set_seconds(cost.seconds);
  stage->set_peak_memory_bytes(cost.peak_bytes);
  stage->set_detail(detail);
}

int64_t WholeTextTokens(const PerplexityInput& input) {
  const int64_t most = std::max<int64_t>(static_cast<int64_t>(input.data.text.size()) / 3, input.protocol.window);
  return most * input.protocol.window / std::max<int64_t>(input.protocol.stride, 1);
}

int64_t PerplexityTokens(const PerplexityInput& input) {
  const int64_t whole = WholeTextTokens(input);
  return input.protocol.max_windows <= 0 ? whole : std::min(whole, input.protocol.max_windows * input.protocol.window);
}

namespace {

void PlanOverlap(const JobInputs& inputs, v1::Plan& plan) {
  if (!ChecksOverlap(inputs)) return;
  // Tokenizing reaches this much text a second.
  constexpr double kBytesPerSecond = 5e5;
  int64_t bytes = static_cast<int64_t>(inputs.calibration.text.size());
  for (const PerplexityInput& input : inputs.perplexities) bytes += static_cast<int64_t>(input.data.text.size());
  for (const LoadedTask& task : inputs.tasks) {
    for (const TaskItem& item : task.items) bytes += static_cast<int64_t>(item.prompt(0).size());
  }
  // Runs are kept by address: some fifty bytes for four of text, all texts' tokens beside.
  AddPlannedStage(plan, kOverlapStage,
                  {.seconds = static_cast<double>(bytes) / kBytesPerSecond, .peak_bytes = kProcessBytes + 20 * bytes},
                  "runs of tokens that the evaluated texts share with the calibration text");
}

// At most: every gate on tasks stays undecided until the sets are used up.
void PlanExtension(const v1::Recipe& recipe, const JobInputs& inputs, const ComputeOptions& compute, v1::Plan& plan) {
  StageCost all;
  int64_t items = 0;
  for (size_t i = 0; i < inputs.whole_tasks.size(); ++i) {
    const LoadedTask &first = inputs.tasks[i], &whole = inputs.whole_tasks[i];
    const bool wanted = std::any_of(recipe.gates().begin(), recipe.gates().end(), [&](const std::string& expression) {
      const absl::StatusOr<Gate> gate = ParseGate(expression);
      return gate.ok() && BaselineOf(*gate, recipe).empty() && RestsOn(*gate, whole);
    });
    if (!wanted || whole.items.size() <= first.items.size()) continue;
    const StageCost cost = TaskCost(inputs.model.spec, whole, compute.threads);
    all.seconds += cost.seconds - TaskCost(inputs.model.spec, first, compute.threads).seconds;
    all.peak_bytes = std::max(all.peak_bytes, cost.peak_bytes);
    items += static_cast<int64_t>(whole.items.size() - first.items.size());
  }
  if (Compresses(recipe)) all.seconds *= 2;
  if (ExtendsTasks(recipe)) {
    AddPlannedStage(plan, kExtensionStage,
                    {.seconds = all.seconds, .peak_bytes = std::max(all.peak_bytes, kProcessBytes)},
                    absl::StrCat("where a gate is not decided: at most ", items, " further items"));
  }
}

// At most: the gates on them stay undecided until the texts are used up.
void PlanTextExtension(const v1::Recipe& recipe, const JobInputs& inputs, const ComputeOptions& compute,
                       v1::Plan& plan) {
  const std::vector<int> texts = Compresses(recipe) ? ExtendableTexts(recipe) : std::vector<int>();
  if (texts.empty()) return;
  StageCost all = {.peak_bytes = kProcessBytes};
  int64_t more = 0;
  for (const int index : texts) {
    const PerplexityInput& first = inputs.perplexities[static_cast<size_t>(index)];
    const int64_t tokens = WholeTextTokens(first) - PerplexityTokens(first);
    const auto cost = [&](int heads) {
      return ScoringCost(inputs.model.spec, tokens, tokens, first.protocol.window, heads, compute.threads);
    };
    const StageCost dense = cost(1), compressed = cost(index == 0 && MeasuresDivergence(recipe) ? 2 : 1);
    all.seconds += dense.seconds + compressed.seconds;
    // Both models' heads, and the dense hidden states of one group.
    const int64_t hidden = int64_t{4} * inputs.model.spec.width * std::min<int64_t>(tokens, 16384);
    all.peak_bytes = std::max(all.peak_bytes, dense.peak_bytes + compressed.peak_bytes - kProcessBytes + hidden);
    more += tokens;
  }
  AddPlannedStage(plan, kTextExtensionStage, all,
                  absl::StrCat("where a gate is not decided: at most ", more, " further tokens of text"));
  // Each scored token leaves three numbers.
  plan.mutable_stages(plan.stages_size() - 1)->set_scratch_bytes(24 * more);
}

}  // namespace

void PlanEvaluation(const v1::Recipe& recipe, const JobInputs& inputs, const ComputeOptions& compute,
                    const v1::KvCacheResult& cache, const std::vector<std::string>& loss_parts, v1::Plan& plan) {
  PlanOverlap(inputs, plan);
  for (size_t i = 0; i < inputs.perplexities.size(); ++i) {
    const PerplexityInput& input = inputs.perplexities[i];
    const int64_t tokens = PerplexityTokens(input);
    const std::string detail = absl::StrCat("perplexity on ", input.data.name, ", ", input.protocol.Words());
    const int heads = i == 0 && MeasuresDivergence(recipe) ? 2 : 1;
    const auto cost = [&](int count) {
      return ScoringCost(inputs.model.spec, tokens, tokens, input.protocol.window, count, compute.threads);
    };
    AddPlannedStage(plan, DenseStageName(i), cost(1), detail);
    if (!Compresses(recipe)) continue;
    AddPlannedStage(plan, CompressedStageName(i), cost(heads),
                    heads == 2 ? absl::StrCat(detail, ", and divergence") : detail);
  }
  for (const char* subject : {"dense", "compressed"}) {
    if (absl::string_view(subject) == "compressed" && !Compresses(recipe)) continue;
    for (const LoadedTask& task : inputs.tasks) {
      AddPlannedStage(plan, TaskStageName(subject, task), TaskCost(inputs.model.spec, task, compute.threads),
                      task.Words());
    }
  }
  for (const std::string& part : loss_parts) {
    const PerplexityInput& input = inputs.perplexities[0];
    const int64_t tokens = PerplexityTokens(input);
    AddPlannedStage(plan, LossStageName(part),
                    ScoringCost(inputs.model.spec, tokens, tokens, input.protocol.window, 1, compute.threads),
                    absl::StrCat("perplexity on ", input.data.name, " with ", part, " alone rounded"));
  }
  PlanExtension(recipe, inputs, compute, plan);
  PlanTextExtension(recipe, inputs, compute, plan);
  PlanBaselineModel(inputs, compute.threads, plan);
  PlanPerformance(recipe, inputs, compute.threads, cache, plan);
}

}  // namespace tersor
