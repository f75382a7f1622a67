#include "client/cpp/backoff.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace tersor::client {

void Backoff::Reset() {
  next_ = absl::ZeroDuration();
  failing_since_ = absl::InfinitePast();
}

absl::Duration Backoff::Next(absl::Time now) {
  if (failing_since_ == absl::InfinitePast()) failing_since_ = now;
  if (now - failing_since_ >= options_.give_up_after) return absl::InfiniteDuration();
  next_ = next_ == absl::ZeroDuration() ? options_.first : std::min(next_ * options_.factor, options_.longest);
  return next_;
}

absl::Status SleepFor(absl::Duration duration, absl::Time deadline, const CancellationToken* token) {
  constexpr absl::Duration kStep = absl::Milliseconds(50);
  absl::Time end = absl::Now() + duration;
  for (absl::Time now = absl::Now(); now < end; now = absl::Now()) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(token));
    if (now >= deadline) return absl::DeadlineExceededError("waited too long");
    absl::SleepFor(std::min({kStep, end - now, deadline - now}));
  }
  return absl::OkStatus();
}

}  // namespace tersor::client
