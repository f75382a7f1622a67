// The report of a sweep: one line a point, and which of them nobody beats.
#ifndef TERSOR_CORE_REPORT_SWEEP_REPORT_H_
#define TERSOR_CORE_REPORT_SWEEP_REPORT_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// What a point's own report says, in short.
v1::SweepResult::Point SummarizePoint(const v1::Report& report);

// Sets on_pareto_front: points with results that no other point beats in model bits and perplexity at once. Of equal
// points all are on it.
void MarkParetoFront(v1::SweepResult& sweep);

// The sweep's report from its points: front, verdict and sentence. The verdict is PASS where a point passed its gates
// (or there are none), else INCONCLUSIVE where one was undecided, else FAIL.
v1::Report MakeSweepReport(const v1::Recipe& recipe, absl::string_view job_id, absl::string_view program_version,
                           v1::SweepResult sweep);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_SWEEP_REPORT_H_
