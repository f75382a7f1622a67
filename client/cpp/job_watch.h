// A job's events until its end, whatever happens to the connection.
#ifndef TERSOR_CLIENT_CPP_JOB_WATCH_H_
#define TERSOR_CLIENT_CPP_JOB_WATCH_H_

#include <cstdint>
#include <functional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/backoff.h"
#include "client/cpp/job_client.h"

namespace tersor::client {

struct WatchOptions {
  // Events after this number; 0 is all.
  int64_t after_sequence = 0;
  // DEADLINE_EXCEEDED when the job has not ended by then.
  absl::Time deadline = absl::InfiniteFuture();
  // CANCELLED soon after it is set; the job goes on.
  const CancellationToken* cancellation = nullptr;
  BackoffOptions backoff;
  // Told before each wait to connect again. May be null.
  std::function<void(const absl::Status& broken, absl::Duration wait)> on_reconnect;
};

// Calls `on_event` with each event once, in order, until the job has ended, and answers the ended job. A stream that
// breaks is taken up again after the last event seen; a first call that finds no server fails at once.
absl::StatusOr<v1::Job> WatchJob(const JobClient& jobs, absl::string_view id, const WatchOptions& options,
                                 const std::function<void(const v1::Event&)>& on_event);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_JOB_WATCH_H_
