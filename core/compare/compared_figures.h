// The figures that a comparison has columns for.
#ifndef TERSOR_CORE_COMPARE_COMPARED_FIGURES_H_
#define TERSOR_CORE_COMPARE_COMPARED_FIGURES_H_

#include <string>
#include <vector>

#include "core/compare/figure_column.h"

namespace tersor {

// Quality, then size, then speed; columns that no row has are left out. `merge`: figures of one name and different
// protocols stand in one column, see MergedTaskForms.
std::vector<FigureColumn> FigureColumns(const std::vector<ComparedRow>& rows, bool merge);

// "piqa: job-1 has hash 0123..., job-2 4567...": every task and text of which rows have different protocols and share
// none.
std::vector<std::string> ProtocolConflicts(const std::vector<ComparedRow>& rows);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_COMPARED_FIGURES_H_
