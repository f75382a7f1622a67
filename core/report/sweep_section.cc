#include "core/report/sweep_section.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/report/html_scatter.h"
#include "core/report/number_text.h"

namespace tersor {

namespace {

// Axes on which the points differ.
std::set<std::string> VaryingAxes(const v1::SweepResult& sweep) {
  std::map<std::string, std::set<std::string>> values;
  for (const v1::SweepResult::Point& point : sweep.points()) {
    for (const auto& [axis, value] : point.settings()) values[axis].insert(value);
  }
  std::set<std::string> varying;
  for (const auto& [axis, seen] : values) {
    if (seen.size() > 1) varying.insert(axis);
  }
  return varying;
}

// "gptq bits=3": what tells the point from the others; its name where it has no settings.
std::string ShortName(const v1::SweepResult::Point& point, const std::set<std::string>& varying) {
  const std::map<std::string, std::string> settings(point.settings().begin(), point.settings().end());
  std::vector<std::string> words;
  for (const auto& [axis, value] : settings) {
    if (varying.count(axis) == 0) continue;
    if (axis == "method") {
      words.insert(words.begin(), value);
    } else {
      words.push_back(absl::StrCat(axis, "=", value));
    }
  }
  return words.empty() ? point.name() : absl::StrJoin(words, " ");
}

}  // namespace

ReportSection SweepSection(const v1::Report& report) {
  ReportSection section{.title = "Sweep",
                        .columns = {{"point"},
                                    {"bits per weight", true},
                                    {"size", true},
                                    {"ratio", true},
                                    {"perplexity", true},
                                    {"x dense", true},
                                    {"KL mean", true},
                                    {"decode tok/s", true},
                                    {"front"}}};
  const bool judged = report.verdict() != v1::VERDICT_UNSPECIFIED;
  const auto& points = report.sweep().points();
  const bool failed =
      std::any_of(points.begin(), points.end(), [](const auto& point) { return !point.error().empty(); });
  const bool last = judged || failed;
  if (last) section.columns.push_back({judged ? "verdict" : "outcome"});
  const auto figure = [](double value, int digits) { return value > 0 ? FigureText(value, digits) : std::string(); };
  // Many points tend to fail of one cause.
  std::map<std::string, std::vector<std::string>> failures;
  for (const v1::SweepResult::Point& point : report.sweep().points()) {
    if (!point.error().empty()) {
      section.rows.push_back({point.name(), "", "", "", "", "", "", "", "", "no result"});
      failures[point.error()].push_back(point.name());
      continue;
    }
    section.rows.push_back({point.name(), figure(point.bits_per_weight(), 3), BytesText(point.model_bits() / 8),
                            RatioText(point.size_ratio()), figure(point.perplexity(), 4),
                            figure(point.perplexity_ratio(), 4), figure(point.kl_mean(), 3),
                            figure(point.decode_tokens_per_second(), 3), point.on_pareto_front() ? "*" : "",
                            judged ? std::string(VerdictWord(point.verdict())) : ""});
    if (!last) section.rows.back().pop_back();
  }
  if (!section.rows.empty()) {
    section.note =
        "*: no other point is smaller and has a lower perplexity at once (the front of quality against size).";
    for (const auto& [reason, points] : failures) {
      absl::StrAppend(&section.note, " No result of ", points.front(),
                      points.size() > 1 ? absl::StrCat(" and ", points.size() - 1, " more") : "", ": ", reason, ".");
    }
  }
  return section;
}

std::string SweepTitle(const v1::Report& report) {
  const std::set<std::string> axes = VaryingAxes(report.sweep());
  std::string model = std::filesystem::path(report.recipe().model()).filename().string();
  if (axes.count("model") > 0 || model.empty()) model = "several models";
  return absl::StrCat("sweep of ", model, axes.empty() ? "" : absl::StrCat(" over ", absl::StrJoin(axes, ", ")));
}

std::string SweepChart(const v1::Report& report) {
  ScatterPlot plot{.x_title = "size of the whole model, MB",
                   .y_title = "perplexity, better upward",
                   .x_text = [](double megabytes) { return FigureText(megabytes, 3); },
                   .y_text = [](double value) { return FigureText(value, 3); },
                   .higher_is_better = false,
                   .points = {}};
  const std::set<std::string> varying = VaryingAxes(report.sweep());
  for (const v1::SweepResult::Point& point : report.sweep().points()) {
    if (!point.error().empty() || point.model_bits() <= 0 || point.perplexity() <= 0) continue;
    plot.points.push_back({.label = ShortName(point, varying),
                           .x = static_cast<double>(point.model_bits()) / 8e6,
                           .y = point.perplexity(),
                           .error = point.perplexity_standard_error(),
                           .front = point.on_pareto_front()});
  }
  const std::string chart = ScatterChart(plot);
  const bool errors =
      std::any_of(plot.points.begin(), plot.points.end(), [](const auto& point) { return point.error > 0; });
  if (chart.empty() || !errors) return chart;
  return absl::StrCat("<figure>", chart,
                      "<figcaption>Bars: one standard error of the perplexity.</figcaption></figure>\n");
}

}  // namespace tersor
