#include "server/engine/baseline_resolver.h"

#include "absl/strings/str_cat.h"
#include "core/compare/baseline_reference.h"

namespace tersor {
namespace {

constexpr int kPage = 500;

bool HasLabel(const v1::Job& job, const std::string& key) { return job.labels().count(key) > 0; }

absl::StatusOr<std::string> NewestWithLabel(JobStore& store, const BaselineReference& reference) {
  JobFilter filter;
  filter.state = v1::JOB_STATE_SUCCEEDED;
  if (!reference.any_value) filter.labels[reference.label_key] = reference.label_value;
  for (int64_t before = 0;;) {
    TERSOR_ASSIGN_OR_RETURN(const std::vector<JobRecord> jobs, store.List(filter, kPage, before));
    for (const JobRecord& record : jobs) {
      if (HasLabel(record.job, reference.label_key)) return record.job.id();
    }
    if (jobs.size() < kPage) break;
    before = jobs.back().ordinal;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "no job with label ", reference.label_key, reference.any_value ? "" : absl::StrCat("=", reference.label_value),
      " has succeeded yet; submit one with --label and gates against the dense model first"));
}

}  // namespace

absl::StatusOr<std::string> ResolveBaseline(JobStore& store, absl::string_view reference) {
  TERSOR_ASSIGN_OR_RETURN(const BaselineReference parsed, ParseBaselineReference(reference));
  if (!parsed.is_job()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", reference, "\": a server compares with jobs: job:ID, job:label=KEY or job:label=KEY=VALUE"));
  }
  if (!parsed.label_key.empty()) return NewestWithLabel(store, parsed);
  const absl::Status report = store.GetReport(parsed.job_id).status();
  if (absl::IsNotFound(report) || absl::IsFailedPrecondition(report)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", reference, "\": ", report.message()));
  }
  if (!report.ok()) return report;
  return parsed.job_id;
}

}  // namespace tersor
