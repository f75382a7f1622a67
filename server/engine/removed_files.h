// What is said of a job whose files gave way to others.
#ifndef TERSOR_SERVER_ENGINE_REMOVED_FILES_H_
#define TERSOR_SERVER_ENGINE_REMOVED_FILES_H_

#include "core/base/status.h"
#include "server/store/data_folder.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// NOT_FOUND (FILES_REMOVED) where the files that the report names went with a garbage collection.
absl::Status CheckFilesAreThere(const v1::Report& report, const DataFolder& folder);

// In place of commands that load such files the report gets a warning.
void ForgetRemovedFiles(const DataFolder& folder, v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_REMOVED_FILES_H_
