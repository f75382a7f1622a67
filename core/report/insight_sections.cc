#include "core/report/insight_sections.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/report/number_text.h"

namespace tersor {

ReportSection LossSplitSection(const v1::Report& report) {
  ReportSection section{.title = "Loss by what is rounded",
                        .columns = {{"rounded"}, {"perplexity", true}, {"x dense", true}}};
  std::vector<ReportBar> chart;
  for (const v1::LossShare& share : report.loss_split()) {
    const std::string name = share.part() == "all" ? "everything" : absl::StrCat(share.part(), " alone");
    section.rows.push_back({name, FigureText(share.perplexity()), FigureText(share.ratio())});
    chart.push_back({name, share.perplexity(), FigureText(share.perplexity())});
  }
  if (section.rows.empty()) return section;
  section.note = "On the first perplexity's text; the rest of the model is dense.";
  section.charts = {chart};
  return section;
}

ReportSection StagesSection(const v1::Report& report) {
  ReportSection section{.title = "Stages",
                        .columns = {{"stage"},
                                    {"time", true},
                                    {"planned at most", true},
                                    {"peak memory", true},
                                    {"planned at most", true},
                                    {""}}};
  std::vector<std::string> exceeded;
  for (const v1::StageReport& stage : report.stages()) {
    section.rows.push_back({stage.name(), SecondsText(stage.seconds()),
                            stage.planned_seconds() > 0 ? SecondsText(stage.planned_seconds()) : "",
                            stage.peak_rss_bytes() > 0 ? BytesText(stage.peak_rss_bytes()) : "",
                            stage.planned_peak_bytes() > 0 ? BytesText(stage.planned_peak_bytes()) : "",
                            stage.reused() ? "reused" : ""});
    const bool late = stage.planned_seconds() > 0 && stage.seconds() > stage.planned_seconds();
    const bool large = stage.planned_peak_bytes() > 0 && stage.peak_rss_bytes() > stage.planned_peak_bytes();
    if (!stage.reused() && (late || large)) exceeded.push_back(stage.name());
  }
  if (!exceeded.empty()) section.note = absl::StrCat("More than planned: ", absl::StrJoin(exceeded, ", "), ".");
  return section;
}

}  // namespace tersor
