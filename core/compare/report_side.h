// One model's figures within a report.
#ifndef TERSOR_CORE_COMPARE_REPORT_SIDE_H_
#define TERSOR_CORE_COMPARE_REPORT_SIDE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

inline constexpr absl::string_view kDenseSubject = "dense";
inline constexpr absl::string_view kCompressedSubject = "compressed";
// The recipe's `evaluate.baseline_model`, which is not compared item by item.
inline constexpr absl::string_view kBaselineModelSubject = "baseline_model";

// Points into a report that outlives it.
struct ReportSide {
  const v1::Report* report = nullptr;
  // "dense" or "compressed".
  absl::string_view subject = kDenseSubject;

  // Null where there is none.
  const v1::PerplexityResult* Perplexity(absl::string_view hash) const;
  // Of several forms of one task (other shots, a chat template) that of the hash; the first where none has it.
  const v1::TaskResult* Task(absl::string_view task, absl::string_view hash = {}) const;
};

// The side that a job was run for: compressed, or dense where it compressed nothing.
ReportSide ResultSide(const v1::Report& report);
// The dense original beside it.
ReportSide DenseSide(const v1::Report& report);

// The task's metric of that name, its first where `name` is empty; null where there is none.
const v1::TaskResult::Metric* FindMetric(const v1::TaskResult& task, absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_REPORT_SIDE_H_
