// What a report says about using its files, word for word.
#ifndef TERSOR_CORE_EXPORTS_LOAD_COMMANDS_H_
#define TERSOR_CORE_EXPORTS_LOAD_COMMANDS_H_

#include <filesystem>

#include "tersor/v1/report.pb.h"

namespace tersor {

// Fills the report's load_commands for artifacts that lie in `artifacts_dir` on the reader's machine.
void SetLocalLoadCommands(const std::filesystem::path& artifacts_dir, v1::Report& report);

// Fills them for a reader elsewhere: `tersor download JOB` first, then what loads the files from the folder which that
// command makes where it is called. Nothing where there are no artifacts.
void SetDownloadLoadCommands(v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_LOAD_COMMANDS_H_
