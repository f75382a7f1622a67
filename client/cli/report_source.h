// Reports from where command lines name them: files of this machine or jobs of a server.
#ifndef TERSOR_CLIENT_CLI_REPORT_SOURCE_H_
#define TERSOR_CLIENT_CLI_REPORT_SOURCE_H_

#include <filesystem>
#include <map>
#include <string>

#include "client/cli/command.h"
#include "core/base/status.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor::client {

// Whether `name` is a file or folder here, or is written like one; a job's id otherwise.
bool NamesReportFile(const std::string& name);

// A report.json, or a folder that holds one: a workspace of `tersor run`, its artifacts. Errors name the file.
absl::StatusOr<v1::Report> ReadReportFile(const std::filesystem::path& path);

// The report of a point of the sweep whose report ReadReportFile read from `sweep`: in the workspace beside it.
absl::StatusOr<v1::Report> ReadPointReport(const std::filesystem::path& sweep, const std::string& job_id);

// What the plan's gates compare with, by reference; files beside the recipe go before those of the working folder. Asks
// the server for jobs only.
absl::StatusOr<std::map<std::string, v1::Report>> LoadBaselines(const v1::Plan& plan,
                                                                const std::filesystem::path& recipe_folder,
                                                                const CommonOptions& common);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_REPORT_SOURCE_H_
