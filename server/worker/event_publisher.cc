#include "server/worker/event_publisher.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "server/base/timestamp.h"

namespace tersor {

EventPublisher::EventPublisher(Send send, PublisherOptions options)
    : send_(std::move(send)), options_(options), thread_([this] { Run(); }) {}

EventPublisher::~EventPublisher() { Finish().IgnoreError(); }

void EventPublisher::Emit(const v1::Event& event) {
  v1::Event stamped = event;
  *stamped.mutable_time() = ToTimestamp(absl::Now());
  const MutexLock lock(mutex_);
  if (event.has_progress() && !queue_.empty() && queue_.back().has_progress() &&
      queue_.back().progress().stage() == event.progress().stage()) {
    queue_.back() = std::move(stamped);
    return;
  }
  mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return CanAccept(); });
  if (status_.ok()) queue_.push_back(std::move(stamped));
}

absl::Status EventPublisher::Finish() {
  {
    const MutexLock lock(mutex_);
    finishing_ = true;
  }
  if (thread_.joinable()) thread_.join();
  const MutexLock lock(mutex_);
  return status_;
}

std::vector<v1::Event> EventPublisher::TakeBatch() {
  const size_t count = std::min(queue_.size(), options_.batch);
  std::vector<v1::Event> batch(std::make_move_iterator(queue_.begin()),
                               std::make_move_iterator(queue_.begin() + static_cast<ptrdiff_t>(count)));
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(count));
  return batch;
}

void EventPublisher::Run() {
  int64_t next_number = 1;
  while (true) {
    std::vector<v1::Event> batch;
    {
      const MutexLock lock(mutex_);
      mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return HasWork(); });
      // Progress that comes within the interval replaces what waits.
      mutex_.AwaitWithTimeout([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return finishing_; }, options_.interval);
      batch = TakeBatch();
      if (batch.empty() && finishing_) return;
    }
    const absl::Status status = send_(next_number, batch);
    next_number += static_cast<int64_t>(batch.size());
    if (status.ok()) continue;
    const MutexLock lock(mutex_);
    status_ = status;
    queue_.clear();
    return;
  }
}

}  // namespace tersor
