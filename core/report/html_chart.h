// Inline SVG for the HTML report.
#ifndef TERSOR_CORE_REPORT_HTML_CHART_H_
#define TERSOR_CORE_REPORT_HTML_CHART_H_

#include <string>
#include <vector>

#include "core/report/report_sections.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Horizontal bars from zero on one scale, label before and text after each. "" where no bar has a finite positive
// value.
std::string BarChart(const std::vector<ReportBar>& bars);
// One thin column a layer, in order, as tall as its relative error; its name shows when pointed at. "" without errors.
std::string LayerErrorChart(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_HTML_CHART_H_
