// What the server's process and those it starts give up.
#ifndef TERSOR_SERVER_TERSORD_HARDEN_PROCESS_H_
#define TERSOR_SERVER_TERSORD_HARDEN_PROCESS_H_

#include "core/base/status.h"

namespace tersor {

// No program that is started from now on gains privileges (no_new_privs), and no core file is written unless the
// operator raises the limit: it would hold models and texts. Call before any thread was started. An error names the
// step that the kernel refused.
absl::Status HardenProcess();

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_HARDEN_PROCESS_H_
