// One posix_spawn with what a worker or helper needs.
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

// Starts `arguments` as a helper of this process: its standard input is `socket`, its standard output and error are our
// standard error. The rest is as above.
absl::StatusOr<pid_t> SpawnHelper(const std::vector<std::string>& arguments, int socket);

}  // namespace tersor

#endif  // TERSOR_SERVER_EXECUTOR_SPAWN_H_
