#include "core/report/efficiency_sections.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/report_side.h"
#include "core/report/number_text.h"

namespace tersor {
namespace {

// More would fill a page.
constexpr size_t kMostBars = 32;

using v1::PerformanceResult;

std::string MillisecondsText(double seconds) { return absl::StrCat(FigureText(seconds * 1e3, 3), " ms"); }

std::string RateText(const PerformanceResult& result) {
  return absl::StrCat(FigureText(result.tokens_per_second(), 3), " (", FigureText(result.tokens_per_second_min(), 3),
                      "-", FigureText(result.tokens_per_second_max(), 3), ")");
}

// The subjects' results of one kind; either may be null. The baseline model's stand in its own section.
struct Pair {
  const PerformanceResult* dense = nullptr;
  const PerformanceResult* compressed = nullptr;
  const PerformanceResult& any() const { return compressed == nullptr ? *dense : *compressed; }
};

Pair FindPair(const v1::Report& report, absl::string_view kind) {
  Pair pair;
  for (const PerformanceResult& result : report.performance()) {
    if (result.kind() != kind) continue;
    if (result.subject() == kDenseSubject) pair.dense = &result;
    if (result.subject() == kCompressedSubject) pair.compressed = &result;
  }
  return pair;
}

std::string SpeedupText(const v1::Report& report, const Pair& pair) {
  for (const v1::SpeedupResult& speedup : report.speedups()) {
    if (speedup.kind() != pair.any().kind()) continue;
    const v1::Interval& interval = speedup.interval();
    if (!speedup.has_interval() || !std::isfinite(interval.high())) return RatioText(speedup.value());
    return absl::StrCat(RatioText(speedup.value()), " (", FigureText(interval.low(), 3), "-",
                        FigureText(interval.high(), 3), ")");
  }
  if (pair.dense == nullptr || pair.compressed == nullptr) return "";
  return RatioText(pair.compressed->tokens_per_second() / pair.dense->tokens_per_second());
}

// A row of one figure, where either subject has it.
template <typename Text>
void AddRow(ReportSection& section, const std::string& label, const Pair& pair,
            double (PerformanceResult::*field)() const, const Text& text, std::string last = "") {
  const auto cell = [&](const PerformanceResult* result) {
    return result == nullptr || (result->*field)() == 0 ? std::string() : std::string(text(*result));
  };
  std::vector<std::string> row = {label, cell(pair.dense), cell(pair.compressed), std::move(last)};
  if (!row[1].empty() || !row[2].empty()) section.rows.push_back(std::move(row));
}

void AddKind(const v1::Report& report, const Pair& pair, ReportSection& section) {
  const PerformanceResult& any = pair.any();
  std::string label = absl::StrCat(any.kind(), ", ", any.tokens(), " tokens");
  if (any.context() > 0) absl::StrAppend(&label, " after ", any.context());
  if (any.batch() > 1) absl::StrAppend(&label, ", ", any.batch(), " sequences");
  AddRow(section, absl::StrCat(label, ": tokens/s"), pair, &PerformanceResult::tokens_per_second, RateText,
         SpeedupText(report, pair));
  const auto field = [&](absl::string_view name, double (PerformanceResult::*get)() const, auto text) {
    AddRow(section, absl::StrCat(any.kind(), ": ", name), pair, get,
           [&](const PerformanceResult& result) { return text((result.*get)()); });
  };
  field("time to first token", &PerformanceResult::time_to_first_token, MillisecondsText);
  field("latency p50", &PerformanceResult::latency_p50, MillisecondsText);
  field("latency p99", &PerformanceResult::latency_p99, MillisecondsText);
  field("operations per token", &PerformanceResult::flops_per_token,
        [](double flops) { return absl::StrCat(FigureText(flops / 1e9, 3), " GFLOP"); });
  field("energy per token", &PerformanceResult::joules_per_token,
        [](double joules) { return absl::StrCat(FigureText(joules, 3), " J"); });
  if (pair.dense == nullptr || pair.compressed == nullptr) return;
  section.charts.push_back({{absl::StrCat(any.kind(), ", dense"), pair.dense->tokens_per_second(),
                             FigureText(pair.dense->tokens_per_second(), 3)},
                            {absl::StrCat(any.kind(), ", compressed"), pair.compressed->tokens_per_second(),
                             FigureText(pair.compressed->tokens_per_second(), 3)}});
}

}  // namespace

ReportSection SpeedSection(const v1::Report& report) {
  ReportSection section{.title = "Speed", .columns = {{""}, {"dense", true}, {"compressed", true}, {"speedup", true}}};
  for (const char* kind : {"prefill", "decode"}) {
    const Pair pair = FindPair(report, kind);
    if (pair.dense == nullptr && pair.compressed == nullptr) continue;
    AddKind(report, pair, section);
    const PerformanceResult& any = pair.any();
    section.note = absl::StrCat("Median (minimum-maximum) of ", any.repeats(), " interleaved repeats, ", any.threads(),
                                any.threads() == 1 ? " thread." : " threads.");
    if (!any.kernels().empty()) absl::StrAppend(&section.note, " Computed in: ", any.kernels(), ".");
  }
  if (section.note.empty()) return section;
  if (report.speedups_size() > 0 && report.speedups(0).has_interval()) {
    absl::StrAppend(&section.note, " Speedups with their ", PercentText(report.speedups(0).interval().confidence()),
                    " intervals.");
  }
  const std::string& energy = report.environment().energy();
  if (!energy.empty()) absl::StrAppend(&section.note, " Energy: ", energy, ".");
  return section;
}

ReportSection MemorySection(const v1::Report& report) {
  ReportSection section{.title = "Memory of the weights",
                        .columns = {{""}, {"dense", true}, {"compressed", true}, {"ratio", true}}};
  const v1::WeightMemory* dense = FindWeightMemory(report, kDenseSubject);
  const v1::WeightMemory* compressed = FindWeightMemory(report, kCompressedSubject);
  const auto add = [&](absl::string_view label, int64_t (v1::WeightMemory::*field)() const) {
    const int64_t before = dense == nullptr ? 0 : (dense->*field)();
    const int64_t after = compressed == nullptr ? 0 : (compressed->*field)();
    if (before == 0 && after == 0) return;
    const auto text = [](int64_t bytes) { return bytes > 0 ? BytesText(bytes) : std::string(); };
    const bool both = before > 0 && after > 0;
    section.rows.push_back({std::string(label), text(before), text(after),
                            both ? RatioText(static_cast<double>(before) / static_cast<double>(after)) : ""});
  };
  add("measured", &v1::WeightMemory::measured_bytes);
  add("computed", &v1::WeightMemory::computed_bytes);
  add("of these in the mapped file", &v1::WeightMemory::mapped_bytes);
  if (!section.rows.empty()) {
    section.note =
        "Measured: by how much the process's own resident memory grew when the model was made ready to generate; "
        "tables "
        "that are looked up in the mapped file are not among it.";
  }
  return section;
}

ReportSection PositionSection(const v1::Report& report) {
  ReportSection section{.title = "NLL by position",
                        .columns = {{"text"},
                                    {"tokens before", true},
                                    {"tokens", true},
                                    {"dense", true},
                                    {"compressed", true},
                                    {"difference", true}}};
  for (const PerplexityRow& row : PerplexityRows(report)) {
    if (row.any().positions_size() < 2) continue;
    std::vector<ReportBar> bars;
    for (int i = 0; i < row.any().positions_size(); ++i) {
      const auto mean = [&](const v1::PerplexityResult* result) {
        return result == nullptr || i >= result->positions_size() ? NAN : result->positions(i).nll_mean();
      };
      const auto text = [](double value) { return std::isnan(value) ? std::string() : FigureText(value); };
      const double dense = mean(row.dense), compressed = mean(row.compressed);
      const v1::PerplexityResult::Position& position = row.any().positions(i);
      section.rows.push_back({i == 0 ? row.any().dataset() : "", absl::StrCat(position.start()),
                              absl::StrCat(position.n()), text(dense), text(compressed), text(compressed - dense)});
      bars.push_back({absl::StrCat(position.start(), " tokens before"), compressed - dense,
                      absl::StrCat(text(compressed - dense), i == 0 ? absl::StrCat("  ", row.any().dataset()) : "")});
    }
    if (row.both() && bars.size() <= kMostBars) section.charts.push_back(std::move(bars));
  }
  if (!section.rows.empty()) {
    section.note = "Nats per token; what gets worse with long contexts shows at the end. Bars: the difference.";
  }
  return section;
}

ReportSection OverlapSection(const v1::Report& report) {
  ReportSection section{
      .title = "Overlap with the calibration text",
      .columns = {{"text"}, {"runs", true}, {"shared", true}, {"share", true}, {"the first shared one"}}};
  for (const v1::TextOverlap& overlap : report.overlaps()) {
    section.rows.push_back({overlap.dataset(), absl::StrCat(overlap.runs()), absl::StrCat(overlap.shared()),
                            PercentText(overlap.share()), overlap.example()});
    section.note = absl::StrCat("Runs of ", overlap.length(), " tokens.");
  }
  return section;
}

}  // namespace tersor
