#include "server/engine/answer_cache.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/base/atomic_file.h"
#include "core/exports/load_commands.h"
#include "core/formats/artifact_info.h"
#include "core/report/report_files.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

bool FilesAreThere(const v1::Report& report, const fs::path& artifacts) {
  return std::all_of(report.artifacts().begin(), report.artifacts().end(),
                     [&](const v1::ArtifactInfo& artifact) { return FilesStand(artifact, artifacts); });
}

// Links, or copies where the file system has no links.
absl::Status LinkTree(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to, error);
  if (error) return ErrnoStatus(error.value(), "creating folder", to);
  fs::recursive_directory_iterator entries(from, error);
  if (error) return ErrnoStatus(error.value(), "reading folder", from);
  for (const auto end = fs::recursive_directory_iterator(); entries != end; entries.increment(error)) {
    if (error) return ErrnoStatus(error.value(), "reading folder", from);
    const fs::path target = to / entries->path().lexically_relative(from);
    std::error_code failure;
    if (entries->is_directory(failure)) {
      fs::create_directories(target, failure);
    } else if (entries->is_regular_file(failure)) {
      fs::create_hard_link(entries->path(), target, failure);
      if (failure && failure != std::errc::file_exists) fs::copy_file(entries->path(), target, failure);
    }
    if (failure && failure != std::errc::file_exists) return ErrnoStatus(failure.value(), "linking", target);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<v1::Report>> AnswerCache::TakeAnswer(const v1::Job& job) {
  if (job.plan().fingerprint().empty()) return std::nullopt;
  TERSOR_ASSIGN_OR_RETURN(const std::vector<std::string> ids, store_.FindAnswers(job.plan().fingerprint()));
  for (const std::string& id : ids) {
    absl::StatusOr<v1::Report> report = store_.GetReport(id);
    if (!report.ok() || !FilesAreThere(*report, folder_.artifacts(id))) continue;
    TERSOR_RETURN_IF_ERROR(folder_.CreateJob(job.id()));
    TERSOR_RETURN_IF_ERROR(LinkTree(folder_.artifacts(id), folder_.artifacts(job.id())));
    if (report->cached_from().empty()) report->set_cached_from(id);
    report->set_job_id(job.id());
    *report->mutable_labels() = job.labels();
    SetDownloadLoadCommands(*report);
    // The linked ones name the earlier job.
    TERSOR_RETURN_IF_ERROR(WriteReportFiles(*report, folder_.artifacts(job.id())));
    return std::optional<v1::Report>(*std::move(report));
  }
  return std::nullopt;
}

}  // namespace tersor
