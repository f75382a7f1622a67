// The report beside the artifacts.
#ifndef TERSOR_CORE_REPORT_REPORT_FILES_H_
#define TERSOR_CORE_REPORT_REPORT_FILES_H_

#include <filesystem>

#include "core/base/status.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// FOLDER/report.json, report.md and report.html, each whole or not at all.
absl::Status WriteReportFiles(const v1::Report& report, const std::filesystem::path& folder);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_REPORT_FILES_H_
