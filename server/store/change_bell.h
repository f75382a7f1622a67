// Wakes whoever waits for something new in the store.
#ifndef TERSOR_SERVER_STORE_CHANGE_BELL_H_
#define TERSOR_SERVER_STORE_CHANGE_BELL_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"

namespace tersor {

// Thread-safe.
class ChangeBell {
 public:
  void Ring() {
    const MutexLock lock(mutex_);
    ++count_;
  }
  uint64_t count() const {
    const MutexLock lock(mutex_);
    return count_;
  }
  // Returns when the count differs from `seen` or after `timeout`.
  void Wait(uint64_t seen, absl::Duration timeout) const {
    const MutexLock lock(mutex_);
    const auto changed = [this, seen]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return count_ != seen; };
    mutex_.AwaitWithTimeout(changed, timeout);
  }

 private:
  mutable Mutex mutex_;
  uint64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_CHANGE_BELL_H_
