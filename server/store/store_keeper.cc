#include "server/store/store_keeper.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/log.h"
#include "server/store/database_backup.h"

namespace tersor {
namespace {

constexpr absl::Duration kLook = absl::Seconds(30);

}  // namespace

StoreKeeper::StoreKeeper(std::filesystem::path database, const JobStore& store, const Ballast& ballast,
                         absl::Duration period, const Clock& clock)
    : database_(std::move(database)),
      store_(store),
      ballast_(ballast),
      period_(period),
      clock_(clock),
      next_(clock.Monotonic() + period),
      thread_([this] { Run(); }) {}

StoreKeeper::~StoreKeeper() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  thread_.join();
}

void StoreKeeper::BackUpIfDue() {
  const uint64_t now = store_.ChangeCount();
  if (period_ <= absl::ZeroDuration() || now == copied_ || clock_.Monotonic() < next_) return;
  next_ = clock_.Monotonic() + period_;
  const absl::Status status = BackUp(database_, clock_.Now());
  if (!status.ok()) {
    return Log(LogLevel::kError, "the database could not be copied", {{"error", status.ToString()}});
  }
  copied_ = now;
  Log(LogLevel::kInfo, "database copied", {{"path", FindBackups(database_).front().string()}});
}

void StoreKeeper::Run() {
  while (true) {
    ballast_.Keep();
    BackUpIfDue();
    const MutexLock lock(mutex_);
    if (mutex_.AwaitWithTimeout([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stop_; }, kLook)) return;
  }
}

}  // namespace tersor
