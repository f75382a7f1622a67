// The figures that a comparison has columns for.
#ifndef TERSOR_CORE_COMPARE_COMPARED_FIGURES_H_
#define TERSOR_CORE_COMPARE_COMPARED_FIGURES_H_

#include <functional>
#include <string>
#include <vector>

#include "core/compare/compared_rows.h"

namespace tersor {

struct FigureColumn {
  v1::ComparedFigure figure;
  // `reference` is the row that `row`'s change is measured against; the same row where there is none.
  std::function<v1::ComparedModel::Value(const ComparedRow& row, const ComparedRow& reference, double confidence)> read;
};

// Quality, then size, then speed; columns that no row has are left out. `merge`: figures of one name and different
// protocols stand in one column.
std::vector<FigureColumn> FigureColumns(const std::vector<ComparedRow>& rows, bool merge);

// "piqa: job-1 has hash 0123..., job-2 4567...": every task and text of which rows have different protocols and share
// none.
std::vector<std::string> ProtocolConflicts(const std::vector<ComparedRow>& rows);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_COMPARED_FIGURES_H_
