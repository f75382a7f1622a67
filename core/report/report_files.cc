#include "core/report/report_files.h"

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/report/report_format.h"

namespace tersor {

absl::Status WriteReportFiles(const v1::Report& report, const std::filesystem::path& folder) {
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / "report.json", absl::StrCat(MessageToJson(report), "\n")));
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / "report.md", ReportToMarkdown(report)));
  return WriteFileAtomically(folder / "report.html", ReportToHtml(report));
}

}  // namespace tersor
