#include "server/engine/removed_files.h"

#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/warning.h"
#include "server/base/error_details.h"

namespace tersor {
namespace {

constexpr char kReason[] = "FILES_REMOVED";

}  // namespace

absl::Status CheckFilesAreThere(const v1::Report& report, const DataFolder& folder) {
  std::error_code error;
  if (report.artifacts().empty() || std::filesystem::exists(folder.artifacts(report.job_id()), error)) {
    return absl::OkStatus();
  }
  return WithReason(absl::NotFoundError(absl::StrCat("the files of job ", report.job_id(),
                                                     " were removed by gc; submit its recipe again with --no-cache")),
                    kReason);
}

void ForgetRemovedFiles(const DataFolder& folder, v1::Report& report) {
  const absl::Status status = CheckFilesAreThere(report, folder);
  if (status.ok()) return;
  report.clear_load_commands();
  *report.add_warnings() = MakeWarning(kReason, std::string(status.message()));
}

}  // namespace tersor
