// Why the figures are what they are: the loss by what was rounded.
#ifndef TERSOR_CORE_REPORT_INSIGHT_SECTIONS_H_
#define TERSOR_CORE_REPORT_INSIGHT_SECTIONS_H_

#include "core/report/report_sections.h"

namespace tersor {

// Weights, inputs and KV cache each rounded alone.
ReportSection LossSplitSection(const v1::Report& report);

// Time and peak memory of each stage beside what the plan said.
ReportSection StagesSection(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_INSIGHT_SECTIONS_H_
