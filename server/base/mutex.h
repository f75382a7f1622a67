// A lock that ThreadSanitizer and clang's thread-safety analysis both understand.
#ifndef TERSOR_SERVER_BASE_MUTEX_H_
#define TERSOR_SERVER_BASE_MUTEX_H_

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace tersor {

// absl::Mutex's way of waiting for a condition, on std::mutex: ThreadSanitizer follows absl::Mutex only in an Abseil
// that was built with it, and the distributions' is not. A condition is asked under the lock, by the waiting thread,
// each time that somebody else unlocks.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (waiting_ > 0) unlocked_.notify_all();
    mutex_.unlock();
  }
  // Tells the analysis what it cannot see, in a callback: that the caller holds the lock.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

  // The caller holds the lock, and holds it again when this returns.
  template <typename Condition>
  void Await(Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    Waiting waiting(*this);
    unlocked_.wait(waiting.lock, condition);
  }
  // False when the condition does not hold after `timeout`, which is finite.
  template <typename Condition>
  bool AwaitWithTimeout(Condition condition, absl::Duration timeout) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    Waiting waiting(*this);
    return unlocked_.wait_for(waiting.lock, absl::ToChronoNanoseconds(timeout), condition);
  }

 private:
  // Lends the lock, which is held, to a condition variable. Who waits may have changed what others wait for.
  struct Waiting {
    explicit Waiting(Mutex& owner) : mutex(owner), lock(owner.mutex_, std::adopt_lock) {
      if (mutex.waiting_++ > 0) mutex.unlocked_.notify_all();
    }
    ~Waiting() {
      --mutex.waiting_;
      lock.release();
    }
    Mutex& mutex;
    std::unique_lock<std::mutex> lock;
  };

  std::mutex mutex_;
  std::condition_variable unlocked_;
  int waiting_ = 0;
};

// Holds a mutex for as long as it lives.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_BASE_MUTEX_H_
