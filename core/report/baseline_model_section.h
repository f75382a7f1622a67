// A job's models beside the smaller dense one that its recipe names.
#ifndef TERSOR_CORE_REPORT_BASELINE_MODEL_SECTION_H_
#define TERSOR_CORE_REPORT_BASELINE_MODEL_SECTION_H_

#include "core/report/report_sections.h"

namespace tersor {

// Size, perplexities, the tasks' main metrics and speeds. A perplexity per token of another tokenizer is
// marked: it is no measure between the columns. Empty where the report has no baseline model.
ReportSection BaselineModelSection(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_BASELINE_MODEL_SECTION_H_
