// The thread that keeps room for the store and copies of it.
#ifndef TERSOR_SERVER_STORE_STORE_KEEPER_H_
#define TERSOR_SERVER_STORE_STORE_KEEPER_H_

#include <filesystem>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/store/ballast.h"
#include "server/store/job_store.h"

namespace tersor {

// Until destroyed: makes the ballast anew some time after it was used, and a copy of the database each `period` in
// which the store changed (zero: none), the first one after the newest that is there.
class StoreKeeper {
 public:
  // All references outlive it.
  StoreKeeper(std::filesystem::path database, const JobStore& store, const Ballast& ballast, absl::Duration period,
              const Clock& clock);
  ~StoreKeeper();
  StoreKeeper(const StoreKeeper&) = delete;
  StoreKeeper& operator=(const StoreKeeper&) = delete;

 private:
  void Run();
  void BackUpIfDue();

  const std::filesystem::path database_;
  const JobStore& store_;
  const Ballast& ballast_;
  const absl::Duration period_;
  const Clock& clock_;
  // The store's count of changes at the last copy.
  uint64_t copied_ = 0;
  absl::Duration next_;
  Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_STORE_KEEPER_H_
