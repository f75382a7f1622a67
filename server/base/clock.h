// Time as the server sees it; a fake one makes time-outs testable without waiting.
#ifndef TERSOR_SERVER_BASE_CLOCK_H_
#define TERSOR_SERVER_BASE_CLOCK_H_

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace tersor {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock: for what people read and what is stored.
  virtual absl::Time Now() const = 0;
  // Never goes back: for time-outs. The zero point means nothing.
  virtual absl::Duration Monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  absl::Duration Monotonic() const override {
    return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }
};

}  // namespace tersor

#endif  // TERSOR_SERVER_BASE_CLOCK_H_
