// Tokens per second of prefill and decode, several models side by side.
#ifndef TERSOR_CORE_EVALUATE_PERFORMANCE_H_
#define TERSOR_CORE_EVALUATE_PERFORMANCE_H_

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/evaluate/energy_meter.h"
#include "core/evaluate/evaluate_context.h"
#include "core/model/generate.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

struct PerformanceOptions {
  int prefill = 512;
  int decode = 64;
  int repeats = 5;
  int threads = 1;
  LinearCompute linears = LinearCompute::kEncodedInt8;
  // Of the speedups' intervals.
  double confidence = 0.95;
  // Sequences decoded together, and ids that each has before the first timed step.
  int batch = 1;
  int context = 16;
};

struct PerformanceSubject {
  // "dense", "compressed" or "baseline_model".
  std::string name;
  // Not owned.
  Generator* generator = nullptr;
  // Not owned; for what is computed from shapes.
  const ModelSpec* spec = nullptr;
};

struct PerformanceFigures {
  // One a kind ("prefill", "decode") and subject.
  std::vector<v1::PerformanceResult> results;
  // "compressed" against "dense", one a kind; empty where one of them is missing.
  std::vector<v1::SpeedupResult> speedups;
};

std::vector<FieldViolation> CheckPerformance(const v1::PerformanceEvaluation& evaluation, int64_t context_length,
                                             absl::string_view field);
PerformanceOptions ResolvePerformance(const v1::PerformanceEvaluation& evaluation, int threads);

// After one unrecorded round, `repeats` rounds in which the subjects take turns, so that a machine that gets slower
// slows all of them; speedup.h says how their ratios are put together. `energy` may be null. Progress counts
// measurements.
absl::StatusOr<PerformanceFigures> MeasurePerformance(std::span<const PerformanceSubject> subjects,
                                                      const PerformanceOptions& options, EnergyMeter* energy,
                                                      const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_PERFORMANCE_H_
