#include "core/compare/figure_faults.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace tersor {

std::vector<std::string> FiguresWithoutNumber(const v1::Report& report) {
  std::vector<std::string> faults;
  const auto check = [&](double value, const auto&... name) {
    if (!std::isfinite(value)) faults.push_back(absl::StrCat(name...));
  };
  for (const v1::PerplexityResult& result : report.perplexity()) {
    check(result.value(), "perplexity of ", result.dataset(), " (", result.subject(), ")");
  }
  const v1::DivergenceResult& divergence = report.divergence();
  check(divergence.kl_mean(), "kl_mean");
  check(divergence.kl_p50(), "kl_p50");
  check(divergence.kl_p99(), "kl_p99");
  check(divergence.kl_max(), "kl_max");
  check(divergence.top1_agreement(), "top1_agreement");
  check(divergence.probability_loyalty(), "probability_loyalty");
  for (const v1::TaskResult& task : report.tasks()) {
    for (const v1::TaskResult::Metric& metric : task.metrics()) {
      check(metric.value(), metric.name(), " of ", task.task(), " (", task.subject(), ")");
    }
  }
  for (const v1::PerformanceResult& speed : report.performance()) {
    check(speed.tokens_per_second(), speed.kind(), " tokens/s (", speed.subject(), ")");
  }
  for (const v1::SpeedupResult& speedup : report.speedups()) check(speedup.value(), speedup.kind(), "_speedup");
  check(report.size().ratio(), "size_ratio");
  return faults;
}

}  // namespace tersor
