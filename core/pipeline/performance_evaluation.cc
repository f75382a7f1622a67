#include "core/pipeline/performance_evaluation.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/compare/report_side.h"
#include "core/evaluate/gates.h"
#include "core/evaluate/kv_cache_cost.h"
#include "core/evaluate/performance.h"
#include "core/evaluate/ready_generator.h"
#include "core/pipeline/cost_model.h"
#include "core/pipeline/plan_evaluation.h"
#include "core/pipeline/stage_list.h"
#include "core/report/number_text.h"

namespace tersor {
namespace {

void KeepMemory(const JobParts& parts, absl::string_view name, const ReadyGenerator& ready) {
  v1::WeightMemory* memory = parts.report.add_weight_memory();
  memory->set_subject(std::string(name));
  memory->set_computed_bytes(ready.weight_bytes);
  memory->set_mapped_bytes(ready.mapped_bytes);
  memory->set_measured_bytes(ready.resident_bytes);
  if (ready.resident_bytes == 0) return;
  parts.Tell(absl::StrCat(name, ": memory for the weights: ", BytesText(ready.weight_bytes - ready.mapped_bytes),
                          " computed, ", BytesText(ready.resident_bytes), " measured; ", BytesText(ready.mapped_bytes),
                          " more in the mapped file"));
}

absl::Status Measure(const JobParts& parts) {
  const JobInputs& inputs = parts.job.inputs;
  ComputeOptions compute = parts.job.compute;
  PerformanceOptions options = ResolvePerformance(parts.recipe.evaluate().performance(), compute.threads);
  options.confidence = GateConfidence(parts.recipe);
  parts.report.clear_weight_memory();
  std::vector<ReadyGenerator> ready;
  std::vector<PerformanceSubject> subjects;
  const auto add = [&](absl::string_view name, const Model& model) -> absl::Status {
    TERSOR_ASSIGN_OR_RETURN(ready.emplace_back(), MakeReady(model, compute));
    KeepMemory(parts, name, ready.back());
    subjects.push_back({std::string(name), ready.back().generator.get(), &model.spec});
    return absl::OkStatus();
  };
  TERSOR_RETURN_IF_ERROR(add(kDenseSubject, inputs.model));
  compute.linears = options.linears;
  if (Compresses(parts.recipe)) {
    TERSOR_RETURN_IF_ERROR(add(kCompressedSubject, parts.compressed));
  }
  if (inputs.baseline_model.has_value()) {
    TERSOR_RETURN_IF_ERROR(add(kBaselineModelSubject, inputs.baseline_model->model));
  }
  absl::StatusOr<EnergyMeter> energy = EnergyMeter::Open();
  parts.report.mutable_environment()->set_energy(
      energy.ok() ? "RAPL, processor packages" : absl::StrCat("unavailable, ", energy.status().message()));
  TERSOR_ASSIGN_OR_RETURN(
      const PerformanceFigures figures,
      MeasurePerformance(subjects, options, energy.ok() ? &*energy : nullptr, parts.context("measurements")));
  parts.report.mutable_performance()->Assign(figures.results.begin(), figures.results.end());
  parts.report.mutable_speedups()->Assign(figures.speedups.begin(), figures.speedups.end());
  return absl::OkStatus();
}

}  // namespace

void PlanPerformance(const v1::Recipe& recipe, const JobInputs& inputs, int threads, const v1::KvCacheResult& cache,
                     v1::Plan& plan) {
  if (!recipe.evaluate().has_performance()) return;
  const PerformanceOptions options = ResolvePerformance(recipe.evaluate().performance(), threads);
  StageCost cost = PerformanceCost(inputs.model, options, Compresses(recipe) ? 2 : 1);
  if (inputs.baseline_model.has_value()) {
    const StageCost baseline = PerformanceCost(inputs.baseline_model->model, options, 1);
    cost.seconds += baseline.seconds;
    cost.peak_bytes += baseline.peak_bytes - kProcessBytes;
  }
  AddPlannedStage(plan, kPerformanceStage, cost,
                  absl::StrFormat("prefill of %d and decode of %d tokens, %d repeats; cache in %s", options.prefill,
                                  options.decode, options.repeats, KvCacheText(cache)));
}

absl::Status EvaluatePerformance(const JobParts& parts) {
  if (!parts.recipe.evaluate().has_performance()) return absl::OkStatus();
  return parts.run_stage(kPerformanceStage, [&](v1::StageReport&) { return Measure(parts); });
}

}  // namespace tersor
