#include "core/evaluate/performance.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tersor {
namespace {

constexpr int kMaxTokens = 1 << 16;
constexpr int kMaxRepeats = 100;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

absl::StatusOr<double> TokensPerSecond(Generator& generator, bool prefill, int tokens) {
  TERSOR_ASSIGN_OR_RETURN(const double seconds, prefill ? generator.TimePrefill(tokens) : generator.TimeDecode(tokens));
  if (!(seconds > 0)) return absl::InternalError(absl::StrCat("a measurement took ", seconds, " seconds"));
  return tokens / seconds;
}

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

v1::PerformanceResult Summarize(const std::string& subject, absl::string_view kind, int tokens,
                                const std::vector<double>& rates, int threads) {
  v1::PerformanceResult result;
  result.set_subject(subject);
  result.set_kind(std::string(kind));
  result.set_tokens(tokens);
  result.set_tokens_per_second(Median(rates));
  result.set_tokens_per_second_min(*std::min_element(rates.begin(), rates.end()));
  result.set_tokens_per_second_max(*std::max_element(rates.begin(), rates.end()));
  result.set_repeats(static_cast<int>(rates.size()));
  result.set_threads(threads);
  return result;
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
  if (!evaluation.activations().empty()) {
    const absl::Status known = ParseLinearCompute(evaluation.activations()).status();
    if (!known.ok()) violations.push_back({absl::StrCat(field, ".activations"), std::string(known.message())});
  }
  return violations;
}

PerformanceOptions ResolvePerformance(const v1::PerformanceEvaluation& evaluation, int threads) {
  PerformanceOptions options;
  if (evaluation.has_prefill()) options.prefill = evaluation.prefill();
  if (evaluation.has_decode()) options.decode = evaluation.decode();
  if (evaluation.has_repeats()) options.repeats = evaluation.repeats();
  options.threads = threads;
  // Checked at planning.
  if (const auto linears = ParseLinearCompute(evaluation.activations()); linears.ok()) options.linears = *linears;
  return options;
}

absl::StatusOr<std::vector<v1::PerformanceResult>> MeasurePerformance(std::span<const PerformanceSubject> subjects,
                                                                      const PerformanceOptions& options,
                                                                      const EvaluateContext& context) {
  if (options.repeats < 1) return absl::InvalidArgumentError("performance needs at least one repeat");
  std::vector<v1::PerformanceResult> results;
  int64_t done = 0;
  const auto total = static_cast<int64_t>(2 * subjects.size()) * (options.repeats + 1);
  for (const bool prefill : {true, false}) {
    const int tokens = prefill ? options.prefill : options.decode;
    std::vector<std::vector<double>> rates(subjects.size());
    for (int round = 0; round <= options.repeats; ++round) {
      for (size_t i = 0; i < subjects.size(); ++i) {
        TERSOR_RETURN_IF_ERROR(CheckCancelled(context.cancellation));
        TERSOR_ASSIGN_OR_RETURN(const double rate, TokensPerSecond(*subjects[i].generator, prefill, tokens));
        // The first round warms caches up.
        if (round > 0) rates[i].push_back(rate);
        context.Report(++done, total);
      }
    }
    for (size_t i = 0; i < subjects.size(); ++i) {
      results.push_back(Summarize(subjects[i].name, prefill ? "prefill" : "decode", tokens, rates[i], options.threads));
      const Generator::Kernels kernels = subjects[i].generator->KernelsInUse();
      results.back().set_kernels(DescribeKernels(prefill ? kernels.prefill : kernels.decode));
    }
  }
  return results;
}

}  // namespace tersor
