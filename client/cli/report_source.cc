#include "client/cli/report_source.h"

#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/recipe_paths.h"
#include "client/cli/remote.h"
#include "client/cpp/report_client.h"
#include "core/base/atomic_file.h"
#include "core/compare/baseline_reference.h"
#include "core/report/message_from_json.h"

namespace tersor::client {
namespace {

constexpr uint64_t kMaxReportBytes = uint64_t{1} << 30;
// How far back the newest job with a label is looked for.
constexpr int kJobsLookedAt = 1000;

std::filesystem::path ReportPath(const std::filesystem::path& path) {
  std::error_code error;
  for (const char* name : {"report.json", "artifacts/report.json"}) {
    if (std::filesystem::is_regular_file(path / name, error)) return path / name;
  }
  return path;
}

absl::StatusOr<std::string> NewestWithLabel(const JobClient& jobs, const BaselineReference& reference) {
  const std::string filter = reference.any_value ? "state=SUCCEEDED"
                                                 : absl::StrCat("state=SUCCEEDED AND label.", reference.label_key,
                                                                "=\"", reference.label_value, "\"");
  TERSOR_ASSIGN_OR_RETURN(const std::vector<v1::Job> found, jobs.List(filter, reference.any_value ? kJobsLookedAt : 1));
  for (const v1::Job& job : found) {
    if (job.labels().count(reference.label_key) > 0) return job.id();
  }
  return absl::NotFoundError(absl::StrCat("no job with label ", reference.label_key, " has succeeded"));
}

absl::StatusOr<v1::Report> LoadJob(const BaselineReference& reference, const CommonOptions& common) {
  TERSOR_ASSIGN_OR_RETURN(const Connection connection, Connect(common));
  std::string id = reference.job_id;
  if (id.empty()) {
    TERSOR_ASSIGN_OR_RETURN(id, NewestWithLabel(JobClient(connection), reference));
  }
  return GetReport(connection, id);
}

}  // namespace

bool NamesReportFile(const std::string& name) {
  // A path that is not there is told as such, not asked of a server: no job's id looks like one.
  if (name.find('/') != std::string::npos || absl::EndsWith(name, ".json")) return true;
  std::error_code error;
  return std::filesystem::exists(name, error);
}

absl::StatusOr<v1::Report> ReadReportFile(const std::filesystem::path& path) {
  const std::filesystem::path file = ReportPath(path);
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return absl::InvalidArgumentError(absl::StrCat(file.string(), ": the folder holds no report.json"));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::string json, ReadFile(file, kMaxReportBytes));
  absl::StatusOr<v1::Report> report = ReportFromJson(json);
  if (!report.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(file.string(), ": ", report.status().message()));
  }
  return report;
}

absl::StatusOr<v1::Report> ReadPointReport(const std::filesystem::path& sweep, const std::string& job_id) {
  // WORKSPACE/artifacts/report.json -> WORKSPACE/points/JOB.
  const std::filesystem::path workspace =
      std::filesystem::absolute(ReportPath(sweep)).lexically_normal().parent_path().parent_path();
  const std::filesystem::path point = workspace / "points" / std::filesystem::path(job_id).filename();
  std::error_code error;
  if (!std::filesystem::is_directory(point, error)) {
    return absl::NotFoundError(absl::StrCat("its report is not here (", point.string(),
                                            "); name the workspace that the sweep was run in, or its points' jobs"));
  }
  return ReadReportFile(point);
}

absl::StatusOr<std::map<std::string, v1::Report>> LoadBaselines(const v1::Plan& plan,
                                                                const std::filesystem::path& recipe_folder,
                                                                const CommonOptions& common) {
  std::map<std::string, v1::Report> reports;
  for (const v1::GateBaseline& baseline : plan.baselines()) {
    TERSOR_ASSIGN_OR_RETURN(const BaselineReference reference, ParseBaselineReference(baseline.reference()));
    TERSOR_ASSIGN_OR_RETURN(
        reports[baseline.reference()],
        reference.is_job() ? LoadJob(reference, common) : ReadReportFile(BesideRecipe(reference.path, recipe_folder)));
  }
  return reports;
}

}  // namespace tersor::client
