// A clock that moves only when told.
#ifndef TERSOR_TESTS_SERVER_TESTING_FAKE_CLOCK_H_
#define TERSOR_TESTS_SERVER_TESTING_FAKE_CLOCK_H_

#include "server/base/clock.h"

namespace tersor::testing {

class FakeClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(1'800'000'000) + elapsed_; }
  absl::Duration Monotonic() const override { return elapsed_; }
  void Advance(absl::Duration by) { elapsed_ += by; }

 private:
  absl::Duration elapsed_;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_TESTING_FAKE_CLOCK_H_
