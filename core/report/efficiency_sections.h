// Sections of a report about speed, memory and about where in a text a model gets worse. Private to core/report.
#ifndef TERSOR_CORE_REPORT_EFFICIENCY_SECTIONS_H_
#define TERSOR_CORE_REPORT_EFFICIENCY_SECTIONS_H_

#include "core/report/report_sections.h"

namespace tersor {

// Tokens per second with the speedup's interval, latencies, operations, energy. Empty where nothing was timed.
ReportSection SpeedSection(const v1::Report& report);
// What the weights took when the models were timed. Empty where none were.
ReportSection MemorySection(const v1::Report& report);
// Mean NLL by how many tokens came before, dense beside compressed. Empty where no text has more than one such part.
ReportSection PositionSection(const v1::Report& report);
// What evaluated texts share with the calibration text.
ReportSection OverlapSection(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_EFFICIENCY_SECTIONS_H_
