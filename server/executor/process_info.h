// What /proc tells about a process.
#ifndef TERSOR_SERVER_EXECUTOR_PROCESS_INFO_H_
#define TERSOR_SERVER_EXECUTOR_PROCESS_INFO_H_

#include <cstdint>
#include <filesystem>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

struct ProcessStat {
  char state = '?';
  // Clock ticks after boot: with the pid it names a process for good, as pids are used again.
  uint64_t start_ticks = 0;
};

// Parses /proc/PID/stat, whose second field is a name that may hold spaces and parentheses.
absl::StatusOr<ProcessStat> ParseProcessStat(absl::string_view text);

// Bytes of RssAnon plus RssShmem in /proc/PID/status: resident memory without mapped files, whose pages the kernel may
// drop at will. 0 where the fields are missing (a zombie).
int64_t ParseUnsharedRss(absl::string_view text);

// NOT_FOUND when there is no such process.
absl::StatusOr<ProcessStat> ReadProcessStat(int64_t pid);
int64_t ReadUnsharedRss(int64_t pid);

}  // namespace tersor

#endif  // TERSOR_SERVER_EXECUTOR_PROCESS_INFO_H_
