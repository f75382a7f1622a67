// A sweep's points as a section of its report.
#ifndef TERSOR_CORE_REPORT_SWEEP_SECTION_H_
#define TERSOR_CORE_REPORT_SWEEP_SECTION_H_

#include "core/report/report_sections.h"

namespace tersor {

// Without rows where the report is not that of a sweep.
ReportSection SweepSection(const v1::Report& report);

// Perplexity against the model's bytes with the front, as inline SVG; "" with fewer than two points that have both.
std::string SweepChart(const v1::Report& report);

// "sweep of smollm2 over method and bits": what was swept, by the axes on which the points differ.
std::string SweepTitle(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_SWEEP_SECTION_H_
