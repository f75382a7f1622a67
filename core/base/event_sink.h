// Where core says what it is doing.
#ifndef TERSOR_CORE_BASE_EVENT_SINK_H_
#define TERSOR_CORE_BASE_EVENT_SINK_H_

#include "tersor/v1/event.pb.h"

namespace tersor {

// Receives a job's events in order. `sequence` and `time` are left to the receiver. Emit is called from the thread that
// runs the job, must not block for long and never fails: a receiver that loses its peer buffers or drops progress.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void Emit(const v1::Event& event) = 0;
};

// Forgets everything; for callers that do not watch.
class NullEventSink final : public EventSink {
 public:
  void Emit(const v1::Event&) override {}
};

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_EVENT_SINK_H_
