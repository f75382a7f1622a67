#include "server/tersord/harden_process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tersor {

absl::Status HardenProcess() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return absl::UnavailableError(absl::StrCat("no_new_privs: ", std::strerror(errno)));
  }
  rlimit cores = {};
  if (getrlimit(RLIMIT_CORE, &cores) != 0) return absl::UnavailableError("RLIMIT_CORE cannot be read");
  cores.rlim_cur = 0;
  if (setrlimit(RLIMIT_CORE, &cores) != 0) {
    return absl::UnavailableError(absl::StrCat("RLIMIT_CORE: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace tersor
