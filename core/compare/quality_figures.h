// Columns of what was measured under a protocol: tasks and perplexities.
#ifndef TERSOR_CORE_COMPARE_QUALITY_FIGURES_H_
#define TERSOR_CORE_COMPARE_QUALITY_FIGURES_H_

#include <vector>

#include "core/compare/figure_column.h"

namespace tersor {

// The mean over the tasks that every row has, then a column a form of a task ("task.piqa.acc", "task.piqa:5shot.acc").
// `merge`: see MergedTaskForms.
void AddTaskColumns(const std::vector<ComparedRow>& rows, bool merge, std::vector<FigureColumn>& columns);

// A column a protocol: "perplexity[wiki:windows]", with the protocol's words where several have that name. `merge`: of
// one text and convention one column, where no row has several.
void AddPerplexityColumns(const std::vector<ComparedRow>& rows, bool merge, std::vector<FigureColumn>& columns);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_QUALITY_FIGURES_H_
