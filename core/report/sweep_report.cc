#include "core/report/sweep_report.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/perplexity_error.h"
#include "core/report/report_sections.h"

namespace tersor {
namespace {

using Point = v1::SweepResult::Point;

bool HasResults(const Point& point) {
  return point.error().empty() && point.model_bits() > 0 && point.perplexity() > 0;
}

bool Beats(const Point& a, const Point& b) {
  return a.model_bits() <= b.model_bits() && a.perplexity() <= b.perplexity() &&
         (a.model_bits() < b.model_bits() || a.perplexity() < b.perplexity());
}

// Without gates nothing was judged.
v1::Verdict SweepVerdict(const v1::Recipe& recipe, const v1::SweepResult& sweep) {
  if (recipe.gates().empty()) return v1::VERDICT_UNSPECIFIED;
  const auto any = [&](v1::Verdict verdict) {
    return std::any_of(sweep.points().begin(), sweep.points().end(),
                       [&](const Point& point) { return point.error().empty() && point.verdict() == verdict; });
  };
  if (any(v1::VERDICT_PASS)) return v1::VERDICT_PASS;
  return any(v1::VERDICT_INCONCLUSIVE) ? v1::VERDICT_INCONCLUSIVE : v1::VERDICT_FAIL;
}

std::string SweepSentence(const v1::SweepResult& sweep, v1::Verdict verdict) {
  const bool judged = verdict != v1::VERDICT_UNSPECIFIED;
  int failed = 0, passed = 0, front = 0;
  const Point* smallest = nullptr;
  for (const Point& point : sweep.points()) {
    if (!point.error().empty()) {
      ++failed;
      continue;
    }
    front += point.on_pareto_front() ? 1 : 0;
    if (!judged || point.verdict() != v1::VERDICT_PASS) continue;
    ++passed;
    if (smallest == nullptr || point.model_bits() < smallest->model_bits()) smallest = &point;
  }
  std::string sentence =
      judged ? absl::StrCat(VerdictWord(verdict), ": ", passed, " of ", sweep.points_size(), " points passed, ")
             : absl::StrCat("Nothing was judged, as there are no gates: ", sweep.points_size(), " points, ");
  absl::StrAppend(&sentence, front, " on the front of size and perplexity");
  if (failed > 0) absl::StrAppend(&sentence, ", ", failed, failed == 1 ? " gave no result" : " gave no results");
  if (smallest != nullptr) absl::StrAppend(&sentence, "; the smallest that passed is ", smallest->name());
  return sentence + ".";
}

}  // namespace

Point SummarizePoint(const v1::Report& report) {
  Point point;
  point.set_job_id(report.job_id());
  point.set_verdict(report.verdict());
  point.set_summary(ReportHeadline(report));
  for (const v1::StageReport& stage : report.stages()) {
    if (!stage.reused()) point.set_seconds(point.seconds() + stage.seconds());
  }
  point.set_model_bits(8 * report.size().artifact_bytes());
  point.set_bits_per_weight(report.size().true_bits());
  point.set_size_ratio(report.size().ratio());
  const std::vector<PerplexityRow> rows = PerplexityRows(report);
  if (!rows.empty()) {
    point.set_perplexity(rows[0].any().value());
    const std::optional<double> error = PerplexityStandardError(rows[0].any());
    if (error.has_value()) point.set_perplexity_standard_error(*error);
  }
  if (!rows.empty() && rows[0].both()) point.set_perplexity_ratio(rows[0].ratio());
  if (report.has_divergence()) {
    point.set_kl_mean(report.divergence().kl_mean());
    point.set_top1_agreement(report.divergence().top1_agreement());
  }
  for (const v1::PerformanceResult& result : report.performance()) {
    if (result.kind() != "decode") continue;
    // The compressed model's comes after the dense one's.
    point.set_decode_tokens_per_second(result.tokens_per_second());
  }
  return point;
}

void MarkParetoFront(v1::SweepResult& sweep) {
  for (Point& point : *sweep.mutable_points()) {
    const bool beaten = std::any_of(sweep.points().begin(), sweep.points().end(),
                                    [&](const Point& other) { return HasResults(other) && Beats(other, point); });
    point.set_on_pareto_front(HasResults(point) && !beaten);
  }
}

v1::Report MakeSweepReport(const v1::Recipe& recipe, absl::string_view job_id, absl::string_view program_version,
                           v1::SweepResult sweep) {
  MarkParetoFront(sweep);
  v1::Report report;
  report.set_job_id(std::string(job_id));
  report.set_tersor_version(std::string(program_version));
  *report.mutable_recipe() = recipe;
  report.set_verdict(SweepVerdict(recipe, sweep));
  report.set_summary(SweepSentence(sweep, report.verdict()));
  *report.mutable_sweep() = std::move(sweep);
  return report;
}

}  // namespace tersor
