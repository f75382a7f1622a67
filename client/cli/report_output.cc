#include "client/cli/report_output.h"

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/report/report_format.h"

namespace tersor::client {

std::vector<std::string> ReportFormats() { return {"table", "json", "markdown", "html"}; }

std::string FormatReport(const v1::Report& report, absl::string_view format, int width) {
  if (format == "json") return absl::StrCat(MessageToJson(report), "\n");
  if (format == "markdown") return ReportToMarkdown(report);
  if (format == "html") return ReportToHtml(report);
  return ReportToTable(report, width);
}

void PrintReport(const v1::Report& report, Console& console) {
  console.Out() << FormatReport(report, console.json ? "json" : "table", console.width) << std::flush;
}

absl::Status WriteJunit(const v1::Report& report, const v1::GatePolicy& gating, const std::string& path) {
  const InconclusiveCase inconclusive =
      gating.on_inconclusive() == "pass" ? InconclusiveCase::kSkipped : InconclusiveCase::kFailure;
  return path.empty() ? absl::OkStatus() : WriteFileAtomically(path, ReportToJunit(report, inconclusive));
}

absl::Status WriteFailureJunit(const std::string& job_id, const std::string& reason, const std::string& path) {
  return path.empty() ? absl::OkStatus() : WriteFileAtomically(path, JobFailureToJunit(job_id, reason));
}

absl::Status WriteErrorJunit(int code, const Console& console, const std::string& path) {
  if (code != kExitUsage && code != kExitServerUnreachable) return absl::OkStatus();
  return WriteFailureJunit("", console.errors(), path);
}

}  // namespace tersor::client
