// Reports of a small world for tests of comparisons: two tasks, one text, sizes and speeds.
#ifndef TERSOR_TESTS_CORE_COMPARE_COMPARED_REPORT_H_
#define TERSOR_TESTS_CORE_COMPARE_COMPARED_REPORT_H_

#include <string>

#include "tersor/v1/report.pb.h"

namespace tersor::testing {

struct ReportShape {
  std::string job_id = "job-1";
  // Of 100 items of each task the first `lost` are right in the dense model only.
  int lost = 10;
  double perplexity_ratio = 1.2;
  int64_t bytes = 80'000'000;
  double decode_rate = 30;
  std::string hash = "p";
};

v1::Report ComparedReport(const ReportShape& shape);

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_COMPARE_COMPARED_REPORT_H_
