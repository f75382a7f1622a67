#include "server/rpc/idle_watch.h"

#include <algorithm>

namespace tersor {

IdleWatch::IdleWatch(absl::Duration limit, const Clock& clock)
    : limit_(limit), clock_(clock), thread_([this] { Run(); }) {}

IdleWatch::~IdleWatch() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  thread_.join();
}

int64_t IdleWatch::Add(grpc::ServerContext& context) {
  const MutexLock lock(mutex_);
  waiting_[next_id_] = {&context, clock_.Monotonic() + limit_};
  return next_id_++;
}

void IdleWatch::Remove(int64_t id) {
  const MutexLock lock(mutex_);
  waiting_.erase(id);
}

void IdleWatch::Run() {
  const absl::Duration period = std::clamp(limit_ / 10, absl::Milliseconds(10), absl::Seconds(1));
  const MutexLock lock(mutex_);
  while (!mutex_.AwaitWithTimeout([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stop_; }, period)) {
    // Under the lock, as the context lives only until its stream is taken out.
    for (auto& [id, waiting] : waiting_) {
      if (clock_.Monotonic() < waiting.until) continue;
      waiting.context->TryCancel();
      waiting.until = absl::InfiniteDuration();
    }
  }
}

}  // namespace tersor
