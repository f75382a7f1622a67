// A comparison of reports in the forms that people and programs read.
#ifndef TERSOR_CORE_REPORT_COMPARISON_FORMAT_H_
#define TERSOR_CORE_REPORT_COMPARISON_FORMAT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/report/report_sections.h"
#include "tersor/v1/comparison.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Tables of quality, size and speed, changes with their intervals, then the fronts.
std::string ComparisonToTable(const v1::ReportComparison& comparison, int width = 100);
// For a pull request's comment.
std::string ComparisonToMarkdown(const v1::ReportComparison& comparison);
// One page with plots (inline SVG), no network, reads well on paper.
std::string ComparisonToHtml(const v1::ReportComparison& comparison);

// A row a number, with a header: model,job_id,dense,figure,kind,value,standard_error,change,low,high,confidence,hash,
// baseline_model.
std::string ComparisonToCsv(const v1::ReportComparison& comparison);
// The same as one JSON object a line; numbers that are not there or not finite are null.
std::string ComparisonToJsonLines(const v1::ReportComparison& comparison);

// A report's side in the form of lm-evaluation-harness's results_*.json, as its viewers read it: results, versions,
// n-shot, higher_is_better, n-samples, configs. `subject` is "dense", "compressed" or "baseline_model". Perplexities of
// the convention "words" are there as lm-eval's wikitext; forms of one task under names that tell them apart.
std::string ReportToLmEval(const v1::Report& report, const std::string& subject);
// How that file calls the model: "NAME", "NAME-compressed", or the baseline model's name ("NAME-baseline" where it is
// the same).
std::string LmEvalModelName(const v1::Report& report, absl::string_view subject);

// The tables behind the forms above.
std::vector<ReportSection> ComparisonSections(const v1::ReportComparison& comparison);
// In plain words: how many models, by what they are compared, and which are the best at their size.
std::string ComparisonHeadline(const v1::ReportComparison& comparison);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_COMPARISON_FORMAT_H_
