// Follows a job's events for a watcher.
#ifndef TERSOR_SERVER_RPC_EVENT_STREAM_H_
#define TERSOR_SERVER_RPC_EVENT_STREAM_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "server/store/job_store.h"

namespace tersor {

// Calls `write` with every event after `after`, then with new ones as they are stored, until the one that ended the
// job, a false answer of `write`, or `gone`, which is asked every half second. Reads a page at a time from the store,
// so that a slow watcher costs no memory and holds nobody up. CANCELLED when the watcher went away.
absl::Status StreamEvents(JobStore& store, absl::string_view job_id, int64_t after, absl::FunctionRef<bool()> gone,
                          absl::FunctionRef<bool(const v1::Event&)> write);

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_EVENT_STREAM_H_
