// One posix_spawn with what a worker needs.
#ifndef TERSOR_SERVER_EXECUTOR_SPAWN_H_
#define TERSOR_SERVER_EXECUTOR_SPAWN_H_

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/status.h"

namespace tersor {

// Starts `arguments` (the program's path first) as leader of a session of its own, with default signal handling,
// standard input from /dev/null, standard output and error appended to `log_file`, and no other descriptor of ours.
// Errors name the program.
absl::StatusOr<pid_t> SpawnDetached(const std::vector<std::string>& arguments, const std::filesystem::path& log_file);

}  // namespace tersor

#endif  // TERSOR_SERVER_EXECUTOR_SPAWN_H_
