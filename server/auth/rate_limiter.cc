#include "server/auth/rate_limiter.h"

#include <algorithm>

namespace tersor {

absl::Duration RateLimiter::Take(absl::string_view caller) {
  if (rate_ <= 0) return absl::ZeroDuration();
  // At least one, or a slow rate would let nothing pass.
  const double room = std::max(1.0, 2 * rate_);
  const absl::Duration now = clock_.Monotonic();
  const MutexLock lock(mutex_);
  const auto [entry, is_new] = buckets_.try_emplace(std::string(caller), Bucket{room, now});
  Bucket& bucket = entry->second;
  bucket.calls = std::min(room, bucket.calls + rate_ * absl::ToDoubleSeconds(now - bucket.filled));
  bucket.filled = now;
  if (bucket.calls < 1) return absl::Seconds((1 - bucket.calls) / rate_);
  bucket.calls -= 1;
  return absl::ZeroDuration();
}

}  // namespace tersor
