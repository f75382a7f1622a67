// Tokens per second of prefill and decode, dense and compressed side by side.
#ifndef TERSOR_CORE_EVALUATE_PERFORMANCE_H_
#define TERSOR_CORE_EVALUATE_PERFORMANCE_H_

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/evaluate/evaluate_context.h"
#include "core/model/generate.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

struct PerformanceOptions {
  int prefill = 512;
  int decode = 64;
  int repeats = 3;
  int threads = 1;
  LinearCompute linears = LinearCompute::kEncodedInt8;
};

struct PerformanceSubject {
  // "dense" or "compressed".
  std::string name;
  // Not owned.
  Generator* generator = nullptr;
};

std::vector<FieldViolation> CheckPerformance(const v1::PerformanceEvaluation& evaluation, int64_t context_length,
                                             absl::string_view field);
PerformanceOptions ResolvePerformance(const v1::PerformanceEvaluation& evaluation, int threads);

// After one unrecorded round, `repeats` rounds in which the subjects take turns, so that a machine that gets slower
// slows all of them. One result a kind and subject. Progress counts measurements.
absl::StatusOr<std::vector<v1::PerformanceResult>> MeasurePerformance(std::span<const PerformanceSubject> subjects,
                                                                      const PerformanceOptions& options,
                                                                      const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_PERFORMANCE_H_
