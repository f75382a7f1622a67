#include "core/evaluate/performance.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/evaluate/flops.h"
#include "core/evaluate/speedup.h"
#include "core/statistics/moments.h"

namespace tersor {
namespace {

constexpr int kMaxTokens = 1 << 16;
constexpr int kMaxRepeats = 100;
constexpr int kMaxBatch = 256;

// By falling share.
std::string DescribeKernels(const std::map<std::string, int64_t>& weights) {
  int64_t all = 0;
  std::vector<std::pair<int64_t, std::string>> shares;
  for (const auto& [name, count] : weights) {
    all += count;
    shares.emplace_back(-count, name);
  }
  std::sort(shares.begin(), shares.end());
  if (shares.size() == 1) return shares[0].second;
  return absl::StrJoin(shares, ", ", [&](std::string* out, const auto& share) {
    absl::StrAppend(out, share.second, " (", std::lround(-100.0 * share.first / all), "%)");
  });
}

// What one subject's rounds of one kind gave.
struct Rounds {
  // Tokens per second of each round.
  std::vector<double> rates;
  // Seconds of each step of all rounds; of prefill, of each round.
  std::vector<double> steps;
  double joules = 0;
  int64_t tokens = 0;
};

// One measurement; `rounds` is null where it only warms up.
absl::Status MeasureRound(const PerformanceSubject& subject, bool prefill, const PerformanceOptions& options,
                          EnergyMeter* energy, Rounds* rounds) {
  double before = 0, after = 0;
  if (energy != nullptr) {
    TERSOR_ASSIGN_OR_RETURN(before, energy->Joules());
  }
  std::vector<double> steps;
  if (prefill) {
    TERSOR_ASSIGN_OR_RETURN(const double seconds, subject.generator->TimePrefill(options.prefill));
    steps = {seconds};
  } else {
    const DecodeTiming timing = {.steps = options.decode, .context = options.context, .batch = options.batch};
    TERSOR_ASSIGN_OR_RETURN(steps, subject.generator->TimeDecode(timing));
  }
  if (energy != nullptr) {
    TERSOR_ASSIGN_OR_RETURN(after, energy->Joules());
  }
  const double seconds = std::accumulate(steps.begin(), steps.end(), 0.0);
  if (!(seconds > 0)) return absl::InternalError(absl::StrCat("a measurement took ", seconds, " seconds"));
  if (rounds == nullptr) return absl::OkStatus();
  const int64_t tokens = prefill ? options.prefill : int64_t{options.decode} * options.batch;
  rounds->rates.push_back(static_cast<double>(tokens) / seconds);
  rounds->steps.insert(rounds->steps.end(), steps.begin(), steps.end());
  rounds->joules += after - before;
  rounds->tokens += tokens;
  return absl::OkStatus();
}

v1::PerformanceResult Summarize(const PerformanceSubject& subject, bool prefill, const PerformanceOptions& options,
                                const Rounds& rounds) {
  v1::PerformanceResult result;
  result.set_subject(subject.name);
  result.set_kind(prefill ? "prefill" : "decode");
  result.set_tokens(prefill ? options.prefill : options.decode);
  result.set_tokens_per_second(Quantile(rounds.rates, 0.5));
  result.set_tokens_per_second_min(*std::min_element(rounds.rates.begin(), rounds.rates.end()));
  result.set_tokens_per_second_max(*std::max_element(rounds.rates.begin(), rounds.rates.end()));
  result.set_repeats(static_cast<int>(rounds.rates.size()));
  result.set_threads(options.threads);
  result.set_batch(prefill ? 1 : options.batch);
  result.set_context(prefill ? 0 : options.context);
  if (prefill) {
    result.set_time_to_first_token(Quantile(rounds.steps, 0.5));
  } else {
    std::vector<double> sorted = rounds.steps;
    std::sort(sorted.begin(), sorted.end());
    result.set_latency_p50(NearestRank(sorted, 0.50));
    result.set_latency_p99(NearestRank(sorted, 0.99));
  }
  if (subject.spec != nullptr) {
    const FlopsPerToken flops = CountFlops(*subject.spec, prefill ? options.prefill : options.context);
    result.set_flops_per_token(prefill ? flops.prefill : flops.decode);
  }
  result.set_joules_per_token(rounds.joules / static_cast<double>(rounds.tokens));
  return result;
}

v1::SpeedupResult CompareRounds(bool prefill, const Rounds& first, const Rounds& second, double confidence) {
  std::vector<double> ratios;
  for (size_t i = 0; i < first.rates.size(); ++i) ratios.push_back(second.rates[i] / first.rates[i]);
  return DescribeSpeedup(prefill ? "prefill" : "decode", ratios, confidence);
}

// Null where there is no such subject.
const Rounds* RoundsOf(absl::string_view name, std::span<const PerformanceSubject> subjects,
                       const std::vector<Rounds>& rounds) {
  for (size_t i = 0; i < subjects.size(); ++i) {
    if (subjects[i].name == name) return &rounds[i];
  }
  return nullptr;
}

void CheckRange(absl::string_view field, absl::string_view key, bool given, int64_t value, int64_t most,
                std::vector<FieldViolation>& violations) {
  if (!given || (value >= 1 && value <= most)) return;
  violations.push_back({absl::StrCat(field, ".", key), absl::StrCat("is ", value, "; it lies between 1 and ", most)});
}

}  // namespace

std::vector<FieldViolation> CheckPerformance(const v1::PerformanceEvaluation& evaluation, int64_t context_length,
                                             absl::string_view field) {
  std::vector<FieldViolation> violations;
  const int64_t most = context_length > 0 ? std::min<int64_t>(context_length, kMaxTokens) : kMaxTokens;
  CheckRange(field, "prefill", evaluation.has_prefill(), evaluation.prefill(), most, violations);
  CheckRange(field, "decode", evaluation.has_decode(), evaluation.decode(), most, violations);
  CheckRange(field, "repeats", evaluation.has_repeats(), evaluation.repeats(), kMaxRepeats, violations);
  CheckRange(field, "batch", evaluation.has_batch(), evaluation.batch(), kMaxBatch, violations);
  CheckRange(field, "context", evaluation.has_context(), evaluation.context(), most, violations);
  if (!evaluation.activations().empty()) {
    const absl::Status known = ParseLinearCompute(evaluation.activations()).status();
    if (!known.ok()) violations.push_back({absl::StrCat(field, ".activations"), std::string(known.message())});
  }
  const PerformanceOptions options = ResolvePerformance(evaluation, 1);
  if (violations.empty() && evaluation.has_context() && context_length > 0 &&
      options.context + options.decode > context_length) {
    violations.push_back({absl::StrCat(field, ".context"),
                          absl::StrCat("is ", options.context, "; with ", options.decode,
                                       " decoded tokens it exceeds the model's context of ", context_length)});
  }
  return violations;
}

PerformanceOptions ResolvePerformance(const v1::PerformanceEvaluation& evaluation, int threads) {
  PerformanceOptions options;
  if (evaluation.has_prefill()) options.prefill = evaluation.prefill();
  if (evaluation.has_decode()) options.decode = evaluation.decode();
  if (evaluation.has_repeats()) options.repeats = evaluation.repeats();
  if (evaluation.has_batch()) options.batch = evaluation.batch();
  if (evaluation.has_context()) options.context = evaluation.context();
  options.threads = threads;
  // Checked at planning.
  if (const auto linears = ParseLinearCompute(evaluation.activations()); linears.ok()) options.linears = *linears;
  return options;
}

absl::StatusOr<PerformanceFigures> MeasurePerformance(std::span<const PerformanceSubject> subjects,
                                                      const PerformanceOptions& options, EnergyMeter* energy,
                                                      const EvaluateContext& context) {
  if (options.repeats < 1) return absl::InvalidArgumentError("performance needs at least one repeat");
  PerformanceFigures figures;
  int64_t done = 0;
  const auto total = static_cast<int64_t>(2 * subjects.size()) * (options.repeats + 1);
  for (const bool prefill : {true, false}) {
    std::vector<Rounds> rounds(subjects.size());
    for (int round = 0; round <= options.repeats; ++round) {
      for (size_t i = 0; i < subjects.size(); ++i) {
        TERSOR_RETURN_IF_ERROR(CheckCancelled(context.cancellation));
        // The first round warms caches up.
        TERSOR_RETURN_IF_ERROR(MeasureRound(subjects[i], prefill, options, energy, round > 0 ? &rounds[i] : nullptr));
        context.Report(++done, total);
      }
    }
    for (size_t i = 0; i < subjects.size(); ++i) {
      figures.results.push_back(Summarize(subjects[i], prefill, options, rounds[i]));
      const Generator::Kernels kernels = subjects[i].generator->KernelsInUse();
      figures.results.back().set_kernels(DescribeKernels(prefill ? kernels.prefill : kernels.decode));
    }
    const Rounds *dense = RoundsOf("dense", subjects, rounds), *compressed = RoundsOf("compressed", subjects, rounds);
    if (dense != nullptr && compressed != nullptr) {
      figures.speedups.push_back(CompareRounds(prefill, *dense, *compressed, options.confidence));
    }
  }
  return figures;
}

}  // namespace tersor
