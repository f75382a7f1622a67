// How many calls a second each caller may make.
#ifndef TERSOR_SERVER_AUTH_RATE_LIMITER_H_
#define TERSOR_SERVER_AUTH_RATE_LIMITER_H_

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"

namespace tersor {

// A bucket of tokens a caller: it holds what twice a second's rate is, and fills at the rate. Thread-safe. `clock`
// outlives it. Callers are few, as they are API tokens: nothing is forgotten.
class RateLimiter {
 public:
  // 0: no limit.
  RateLimiter(double calls_per_second, const Clock& clock) : rate_(calls_per_second), clock_(clock) {}

  // Takes a call from the caller's bucket: zero, or how long to wait for the next one where none is left.
  absl::Duration Take(absl::string_view caller);
  double rate() const { return rate_; }

 private:
  struct Bucket {
    double calls = 0;
    absl::Duration filled;
  };

  const double rate_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Bucket, std::less<>> buckets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_RATE_LIMITER_H_
