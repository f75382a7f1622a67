// A report in the form the user asked for.
#ifndef TERSOR_CLIENT_CLI_REPORT_OUTPUT_H_
#define TERSOR_CLIENT_CLI_REPORT_OUTPUT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cli/console.h"
#include "core/base/status.h"
#include "tersor/v1/job_service.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor::client {

// "table", "json", "markdown", "html".
std::vector<std::string> ReportFormats();
std::string FormatReport(const v1::Report& report, absl::string_view format, int width);

// The table, or JSON where the console is for that.
void PrintReport(const v1::Report& report, Console& console);

// JUnit for CI; nothing where `path` is empty. An inconclusive gate is skipped where `gating` says "pass", else failed.
absl::Status WriteJunit(const v1::Report& report, const v1::GatePolicy& gating, const std::string& path);
// For a command that ends by `code` before there is a job to tell of: what the console has said, where the code is that
// of a fault of the recipe or of a server out of reach.
absl::Status WriteErrorJunit(int code, const Console& console, const std::string& path);
absl::Status WriteFailureJunit(const std::string& job_id, const std::string& reason, const std::string& path);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_REPORT_OUTPUT_H_
