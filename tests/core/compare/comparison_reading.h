// Compares, and asks a comparison.
#ifndef TERSOR_TESTS_CORE_COMPARE_COMPARISON_READING_H_
#define TERSOR_TESTS_CORE_COMPARE_COMPARISON_READING_H_

#include <string>
#include <vector>

#include "core/compare/comparison.h"
#include "gtest/gtest.h"

namespace tersor::testing {

// An empty comparison and a failed expectation where it is refused.
inline v1::ReportComparison Compare(const std::vector<NamedReport>& reports, const CompareOptions& options = {}) {
  absl::StatusOr<v1::ReportComparison> comparison = CompareReports(reports, options);
  EXPECT_TRUE(comparison.ok()) << comparison.status();
  return comparison.ok() ? *comparison : v1::ReportComparison();
}

inline std::vector<std::string> Labels(const v1::ReportComparison& comparison) {
  std::vector<std::string> labels;
  for (const v1::ComparedModel& model : comparison.models()) labels.push_back(model.label());
  return labels;
}

// A failed expectation where there is no such figure.
inline v1::ComparedModel::Value Find(const v1::ReportComparison& comparison, int model, const std::string& figure) {
  for (int i = 0; i < comparison.figures_size(); ++i) {
    if (comparison.figures(i).name() == figure) return comparison.models(model).values(i);
  }
  ADD_FAILURE() << "no figure " << figure;
  return {};
}

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_COMPARE_COMPARISON_READING_H_
