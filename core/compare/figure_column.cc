#include "core/compare/figure_column.h"

#include <cmath>
#include <utility>

namespace tersor {

FigureColumn MakeColumn(std::string name, std::string title, v1::FigureKind kind, bool higher_is_better,
                        std::string hash) {
  FigureColumn column;
  column.figure.set_name(std::move(name));
  column.figure.set_title(std::move(title));
  column.figure.set_kind(kind);
  column.figure.set_higher_is_better(higher_is_better);
  column.figure.set_hash(std::move(hash));
  return column;
}

FigureValue MeasuredFigure(double value, std::optional<double> standard_error) {
  FigureValue result;
  result.set_measured(true);
  result.set_value(value);
  if (standard_error.has_value() && std::isfinite(*standard_error)) result.set_standard_error(*standard_error);
  return result;
}

void SetChange(double change, const Interval& interval, double confidence, FigureValue& value) {
  value.set_change(change);
  value.mutable_change_interval()->set_low(interval.low);
  value.mutable_change_interval()->set_high(interval.high);
  value.mutable_change_interval()->set_confidence(confidence);
}

}  // namespace tersor
