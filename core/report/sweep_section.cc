#include "core/report/sweep_section.h"

#include "core/report/number_text.h"

namespace tersor {

ReportSection SweepSection(const v1::Report& report) {
  ReportSection section{.title = "Sweep",
                        .columns = {{"point"},
                                    {"bits per weight", true},
                                    {"model", true},
                                    {"ratio", true},
                                    {"perplexity", true},
                                    {"x dense", true},
                                    {"KL mean", true},
                                    {"decode tok/s", true},
                                    {"front"},
                                    {"verdict"}}};
  const auto figure = [](double value, int digits) { return value > 0 ? FigureText(value, digits) : std::string(); };
  for (const v1::SweepResult::Point& point : report.sweep().points()) {
    if (!point.error().empty()) {
      section.rows.push_back({point.name(), "", "", "", "", "", "", "", "", point.error()});
      continue;
    }
    section.rows.push_back({point.name(), figure(point.bits_per_weight(), 3), BytesText(point.model_bits() / 8),
                            RatioText(point.size_ratio()), figure(point.perplexity(), 4),
                            figure(point.perplexity_ratio(), 4), figure(point.kl_mean(), 3),
                            figure(point.decode_tokens_per_second(), 3), point.on_pareto_front() ? "*" : "",
                            std::string(VerdictWord(point.verdict()))});
  }
  if (!section.rows.empty()) {
    section.note =
        "*: no other point is smaller and has a lower perplexity at once (the front of quality against size).";
  }
  return section;
}

}  // namespace tersor
