#include "core/evaluate/gate_metrics.h"

#include <array>

namespace tersor {
namespace {

constexpr absl::string_view kDense = "dense";
constexpr absl::string_view kCompressed = "compressed";

using Figure = std::optional<GateFigure>;

Figure Exact(double value) { return GateFigure{value, value, value}; }

// The perplexity of `subject` that the recipe asked for as number `index`: results stand in the recipe's order.
const v1::PerplexityResult* FindPerplexity(const v1::Report& report, absl::string_view subject, int index) {
  for (const v1::PerplexityResult& result : report.perplexity()) {
    if (result.subject() == subject && index-- == 0) return &result;
  }
  return nullptr;
}

// A recipe without stages has the dense model's alone.
Figure Perplexity(const v1::Report& report, int index) {
  const v1::PerplexityResult* result = FindPerplexity(report, kCompressed, index);
  if (result == nullptr) result = FindPerplexity(report, kDense, index);
  return result == nullptr ? std::nullopt : Exact(result->value());
}

Figure PerplexityRatio(const v1::Report& report, int index) {
  const v1::PerplexityResult* dense = FindPerplexity(report, kDense, index);
  const v1::PerplexityResult* compressed = FindPerplexity(report, kCompressed, index);
  if (dense == nullptr || compressed == nullptr || dense->hash() != compressed->hash()) return std::nullopt;
  return Exact(compressed->value() / dense->value());
}

template <double (v1::DivergenceResult::*kField)() const>
Figure FromDivergence(const v1::Report& report, int) {
  return report.has_divergence() ? Exact((report.divergence().*kField)()) : std::nullopt;
}

template <double (v1::SizeResult::*kField)() const>
Figure FromSize(const v1::Report& report, int) {
  return report.has_size() ? Exact((report.size().*kField)()) : std::nullopt;
}

const v1::PerformanceResult* FindPerformance(const v1::Report& report, absl::string_view subject,
                                             absl::string_view kind) {
  for (const v1::PerformanceResult& result : report.performance()) {
    if (result.subject() == subject && result.kind() == kind) return &result;
  }
  return nullptr;
}

Figure Speedup(const v1::Report& report, absl::string_view kind) {
  const v1::PerformanceResult* dense = FindPerformance(report, kDense, kind);
  const v1::PerformanceResult* compressed = FindPerformance(report, kCompressed, kind);
  if (dense == nullptr || compressed == nullptr) return std::nullopt;
  return GateFigure{compressed->tokens_per_second() / dense->tokens_per_second(),
                    compressed->tokens_per_second_min() / dense->tokens_per_second_max(),
                    compressed->tokens_per_second_max() / dense->tokens_per_second_min()};
}

Figure DecodeSpeedup(const v1::Report& report, int) { return Speedup(report, "decode"); }
Figure PrefillSpeedup(const v1::Report& report, int) { return Speedup(report, "prefill"); }

using v1::DivergenceResult;
using v1::SizeResult;

constexpr std::array<GateMetricEntry, 11> kMetrics = {{
    {"perplexity_ratio", "perplexity compressed / dense", GateNeed::kPerplexity, true, PerplexityRatio},
    {"perplexity", "perplexity of the compressed model", GateNeed::kPerplexity, true, Perplexity},
    {"kl_mean", "mean KL(dense || compressed), nats per token", GateNeed::kDivergence, false,
     FromDivergence<&DivergenceResult::kl_mean>},
    {"kl_p50", "median KL per token", GateNeed::kDivergence, false, FromDivergence<&DivergenceResult::kl_p50>},
    {"kl_p99", "99th percentile of KL per token", GateNeed::kDivergence, false,
     FromDivergence<&DivergenceResult::kl_p99>},
    {"top1_agreement", "share of tokens with the same most likely next token, 0 to 1", GateNeed::kDivergence, false,
     FromDivergence<&DivergenceResult::top1_agreement>},
    {"size_ratio", "dense bytes at 16 bits per parameter / bytes of the container", GateNeed::kNothing, false,
     FromSize<&SizeResult::ratio>},
    {"blocks_size_ratio", "size_ratio of the blocks alone, without embedding and head", GateNeed::kNothing, false,
     FromSize<&SizeResult::blocks_ratio>},
    {"decode_speedup", "decode tokens/s compressed / dense", GateNeed::kPerformance, false, DecodeSpeedup},
    {"prefill_speedup", "prefill tokens/s compressed / dense", GateNeed::kPerformance, false, PrefillSpeedup},
    {"true_bits", "bits per weight of the compressed layers, scales and zero points included", GateNeed::kNothing,
     false, FromSize<&SizeResult::true_bits>},
}};

}  // namespace

std::span<const GateMetricEntry> GateMetricTable() { return kMetrics; }

const GateMetricEntry* FindGateMetric(absl::string_view name) {
  for (const GateMetricEntry& metric : kMetrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

absl::string_view MissingEvaluation(GateNeed need, const v1::Recipe& recipe) {
  const v1::Evaluation& evaluate = recipe.evaluate();
  const bool divergence_off = evaluate.divergence().has_enabled() && !evaluate.divergence().enabled();
  switch (need) {
    case GateNeed::kNothing:
      return "";
    case GateNeed::kPerplexity:
      return evaluate.perplexity().empty() ? "needs evaluate.perplexity, which the recipe does not have" : "";
    case GateNeed::kDivergence:
      if (divergence_off) return "needs evaluate.divergence, which the recipe switches off";
      return evaluate.perplexity().empty()
                 ? "needs evaluate.perplexity: divergence is measured on the tokens of the first one"
                 : "";
    case GateNeed::kPerformance:
      return evaluate.has_performance() ? "" : "needs evaluate.performance, which the recipe does not have";
  }
  return "";
}

}  // namespace tersor
