// What a report says, in order, before it is a table, a comment or a page.
#ifndef TERSOR_CORE_REPORT_REPORT_SECTIONS_H_
#define TERSOR_CORE_REPORT_REPORT_SECTIONS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

struct ReportColumn {
  std::string header;
  // Figures.
  bool right = false;
};

// One bar of a section's chart.
struct ReportBar {
  std::string label;
  double value = 0;
  std::string text;
};

// Cells are raw text: whoever renders them escapes them.
struct ReportSection {
  std::string title = {};
  std::vector<ReportColumn> columns = {};
  std::vector<std::vector<std::string>> rows = {};
  // A sentence under the rows; may be empty.
  std::string note = {};
  // Bars of one group share a scale; a group is a comparison of its own.
  std::vector<std::vector<ReportBar>> charts = {};
  // The cells of the first column are code: paths, expressions, names.
  bool code = false;
};

struct SectionOptions {
  // Every layer, or only those that were not done as asked.
  bool all_layers = false;
};

// Sections with nothing to say are left out. Load commands are not among them: every form ends with them in its own
// way.
std::vector<ReportSection> ReportSections(const v1::Report& report, const SectionOptions& options = {});

// Dense and compressed under one protocol; either may be null, not both. Points into the report.
struct PerplexityRow {
  const v1::PerplexityResult* dense = nullptr;
  const v1::PerplexityResult* compressed = nullptr;
  const v1::PerplexityResult& any() const { return compressed == nullptr ? *dense : *compressed; }
  bool both() const { return dense != nullptr && compressed != nullptr; }
  double ratio() const { return compressed->value() / dense->value(); }
};
std::vector<PerplexityRow> PerplexityRows(const v1::Report& report);

// "PASS", "FAIL", "INCONCLUSIVE"; "NO VERDICT" where it is not set.
absl::string_view VerdictWord(v1::Verdict verdict);
absl::string_view OutcomeWord(v1::GateOutcome outcome);
// report.summary, or the sentence made from the figures where it is empty.
std::string ReportHeadline(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_REPORT_SECTIONS_H_
