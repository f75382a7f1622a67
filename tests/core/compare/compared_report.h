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

// Adds a dense rival "Tiny" of 60 M parameters: worse by 20 items of each task, perplexity 21, 50 tokens/s. With a
// tokenizer of its own its results have other hashes.
void AddRival(bool own_tokenizer, v1::Report& report);
// Adds piqa once more, asked with 5 shots, of which the compressed model loses `lost` items.
void AddFiveShots(int lost, v1::Report& report);

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_COMPARE_COMPARED_REPORT_H_
