// The models that a comparison has rows for.
#ifndef TERSOR_CORE_COMPARE_COMPARED_ROWS_H_
#define TERSOR_CORE_COMPARE_COMPARED_ROWS_H_

#include <string>
#include <vector>

#include "core/compare/comparison.h"
#include "core/compare/report_side.h"

namespace tersor {

struct ComparedRow {
  // Where its figures stand; a dense original's may stand in several reports. Not empty.
  std::vector<ReportSide> sides = {};
  std::string label = {};
  bool dense = false;
  // Index of the row that its changes are measured against; its own where there is nothing to compare with.
  int reference = 0;

  const v1::Report& report() const { return *sides[0].report; }
  const v1::PerplexityResult* Perplexity(absl::string_view hash) const;
  const v1::TaskResult* Task(absl::string_view task) const;
};

// Each dense original once ("dense", with its name where there are several), then the reports in their order; labels
// are different. Points into `reports`.
std::vector<ComparedRow> ComparedRows(const std::vector<NamedReport>& reports);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_COMPARED_ROWS_H_
