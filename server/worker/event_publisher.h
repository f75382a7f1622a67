// Sends a job's events to the server from a thread of its own.
#ifndef TERSOR_SERVER_WORKER_EVENT_PUBLISHER_H_
#define TERSOR_SERVER_WORKER_EVENT_PUBLISHER_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/base/event_sink.h"
#include "core/base/status.h"
#include "server/base/mutex.h"

namespace tersor {

struct PublisherOptions {
  // Events that wait at most; a full queue of other events than progress makes Emit wait.
  size_t capacity = 4096;
  size_t batch = 256;
  // Between two batches, so that progress has time to be replaced by newer progress.
  absl::Duration interval = absl::Milliseconds(200);
};

// Emit is thread-safe. Progress that has not been sent gives way to newer progress of the same stage; nothing else is
// lost while the server answers. Once `send` fails for good, events are dropped: the attempt is over.
class EventPublisher final : public EventSink {
 public:
  // `send` gets the number of the first event (from 1) and the events; it blocks until they are stored or it is certain
  // that they will not be.
  using Send = std::function<absl::Status(int64_t first_number, const std::vector<v1::Event>& events)>;

  EventPublisher(Send send, PublisherOptions options = {});
  // Sends what waits.
  ~EventPublisher() override;

  void Emit(const v1::Event& event) override;
  // Sends what waits and returns the first error that `send` gave.
  absl::Status Finish();

 private:
  void Run();
  std::vector<v1::Event> TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool CanAccept() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return queue_.size() < options_.capacity || !status_.ok() || finishing_;
  }
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !queue_.empty() || finishing_; }

  const Send send_;
  const PublisherOptions options_;
  Mutex mutex_;
  std::deque<v1::Event> queue_ ABSL_GUARDED_BY(mutex_);
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_WORKER_EVENT_PUBLISHER_H_
