// Waits between tries.
#ifndef TERSOR_CLIENT_CPP_BACKOFF_H_
#define TERSOR_CLIENT_CPP_BACKOFF_H_

#include "absl/time/time.h"
#include "core/base/cancellation.h"
#include "core/base/status.h"

namespace tersor::client {

struct BackoffOptions {
  absl::Duration first = absl::Milliseconds(200);
  absl::Duration longest = absl::Seconds(5);
  double factor = 2;
  // Time without any success after which there is no other try.
  absl::Duration give_up_after = absl::Minutes(5);
};

// Not thread-safe.
class Backoff {
 public:
  explicit Backoff(const BackoffOptions& options) : options_(options) {}

  // Something worked: the next wait is the first one again.
  void Reset();
  // The length of the next wait, or absl::InfiniteDuration() once it is time to give up.
  absl::Duration Next(absl::Time now);

 private:
  BackoffOptions options_;
  absl::Duration next_ = absl::ZeroDuration();
  absl::Time failing_since_ = absl::InfinitePast();
};

// Sleeps; CANCELLED at once when the token (may be null) is set, DEADLINE_EXCEEDED at `deadline`.
absl::Status SleepFor(absl::Duration duration, absl::Time deadline, const CancellationToken* token);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_BACKOFF_H_
