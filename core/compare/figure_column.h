// A column of a comparison: what it is and how a row's value is read.
#ifndef TERSOR_CORE_COMPARE_FIGURE_COLUMN_H_
#define TERSOR_CORE_COMPARE_FIGURE_COLUMN_H_

#include <functional>
#include <optional>
#include <string>

#include "core/compare/compared_rows.h"
#include "core/statistics/interval.h"

namespace tersor {

using FigureValue = v1::ComparedModel::Value;

struct FigureColumn {
  v1::ComparedFigure figure;
  // `reference` is the row that `row`'s change is measured against; the same row where there is none.
  std::function<FigureValue(const ComparedRow& row, const ComparedRow& reference, double confidence)> read;
};

// Without `read`.
FigureColumn MakeColumn(std::string name, std::string title, v1::FigureKind kind, bool higher_is_better,
                        std::string hash = "");
// Without a standard error where the value is exact or its error is not known.
FigureValue MeasuredFigure(double value, std::optional<double> standard_error = std::nullopt);
void SetChange(double change, const Interval& interval, double confidence, FigureValue& value);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_FIGURE_COLUMN_H_
