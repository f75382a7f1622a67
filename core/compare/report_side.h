// One model's figures within a report.
#ifndef TERSOR_CORE_COMPARE_REPORT_SIDE_H_
#define TERSOR_CORE_COMPARE_REPORT_SIDE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

inline constexpr absl::string_view kDenseSubject = "dense";
inline constexpr absl::string_view kCompressedSubject = "compressed";
// The recipe's `evaluate.baseline_model`, a smaller dense rival.
inline constexpr absl::string_view kBaselineModelSubject = "baseline_model";

// Points into a report that outlives it.
struct ReportSide {
  const v1::Report* report = nullptr;
  // "dense", "compressed" or "baseline_model".
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
// The rival, where the report has one.
ReportSide BaselineModelSide(const v1::Report& report);

// Bytes that the rival's weights take: its files', where they have fewer than 16 bits per parameter; 0 where not known.
int64_t BaselineModelBytes(const v1::Report& report);

// What the weights of `subject` took in memory; null where it was not timed.
const v1::WeightMemory* FindWeightMemory(const v1::Report& report, absl::string_view subject);

// The task's metric of that name, its first where `name` is empty; null where there is none.
const v1::TaskResult::Metric* FindMetric(const v1::TaskResult& task, absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_REPORT_SIDE_H_
