// The models that a comparison has rows for.
#ifndef TERSOR_CORE_COMPARE_COMPARED_ROWS_H_
#define TERSOR_CORE_COMPARE_COMPARED_ROWS_H_

#include <string>
#include <vector>

#include "core/compare/comparison.h"
#include "core/compare/report_side.h"
#include "core/compare/task_forms.h"

namespace tersor {

enum class RowKind {
  // The original of one or more reports.
  kDense,
  // What a report's job was run for.
  kResult,
  // The smaller dense rival of one or more reports.
  kBaselineModel,
};

// A result of a row with the one that says under which protocol it stands: itself, but for baseline models the dense
// original's on the same items, because a tokenizer of their own gives them another hash.
struct RowTask {
  const v1::TaskResult* result = nullptr;
  const v1::TaskResult* form = nullptr;
};
struct RowPerplexity {
  const v1::PerplexityResult* result = nullptr;
  const v1::PerplexityResult* form = nullptr;
  // As the recipe names it; "windows" where it does not.
  std::string convention = {};
};

struct ComparedRow {
  // Where its figures stand; a dense original's may stand in several reports. Not empty.
  std::vector<ReportSide> sides = {};
  std::string label = {};
  RowKind kind = RowKind::kResult;
  // Of a result: the sweep whose point it is.
  std::string sweep = {};
  // Index of the row that its changes are measured against; its own where there is nothing to compare with.
  int reference = 0;

  const v1::Report& report() const { return *sides[0].report; }
  bool dense() const { return kind == RowKind::kDense; }
  bool baseline_model() const { return kind == RowKind::kBaselineModel; }
  // In the reports' order. A baseline model's perplexities per token of a tokenizer of its own are not among them.
  std::vector<RowTask> Tasks() const;
  std::vector<RowPerplexity> Perplexities() const;
  // With nulls where it was not measured. Of several the one of that hash, the first where none has it.
  RowTask Task(const TaskForm& form, absl::string_view hash = {}) const;
};

// Each dense original once ("dense", with its name where there are several), then the reports in their order, then each
// baseline model once ("baseline NAME"); labels are different. Points into `reports`.
std::vector<ComparedRow> ComparedRows(const std::vector<NamedReport>& reports);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_COMPARED_ROWS_H_
