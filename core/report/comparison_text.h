// Figures of a comparison as people read them.
#ifndef TERSOR_CORE_REPORT_COMPARISON_TEXT_H_
#define TERSOR_CORE_REPORT_COMPARISON_TEXT_H_

#include <string>

#include "tersor/v1/comparison.pb.h"

namespace tersor {

// Short, for a column.
std::string FigureHeader(const v1::ComparedFigure& figure);
// "84.6 MB", "3.18x", "0.6213 +- 0.011"; empty where it was not measured.
std::string ValueText(const v1::ComparedFigure& figure, const v1::ComparedModel::Value& value, bool with_error = false);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_COMPARISON_TEXT_H_
