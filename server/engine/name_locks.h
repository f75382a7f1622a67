// Lets one call at a time work on what has a name.
#ifndef TERSOR_SERVER_ENGINE_NAME_LOCKS_H_
#define TERSOR_SERVER_ENGINE_NAME_LOCKS_H_

#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace tersor {

// Thread-safe.
class NameLocks {
 public:
  // Waits until nobody else holds the name, and holds it while it lives.
  class Hold {
   public:
    Hold(NameLocks& locks, std::string name) : locks_(locks), name_(std::move(name)) {
      const MutexLock lock(locks_.mutex_);
      locks_.mutex_.Await([this]()
                              ABSL_EXCLUSIVE_LOCKS_REQUIRED(locks_.mutex_) { return locks_.held_.count(name_) == 0; });
      locks_.held_.insert(name_);
    }
    ~Hold() {
      const MutexLock lock(locks_.mutex_);
      locks_.held_.erase(name_);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    NameLocks& locks_;
    const std::string name_;
  };

 private:
  Mutex mutex_;
  std::set<std::string> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_NAME_LOCKS_H_
