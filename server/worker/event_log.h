// What `tersor logs` shows of a job's course.
#ifndef TERSOR_SERVER_WORKER_EVENT_LOG_H_
#define TERSOR_SERVER_WORKER_EVENT_LOG_H_

#include <cstdint>
#include <string>
#include <utility>

#include "core/base/event_sink.h"

namespace tersor {

// Passes events on and writes a log line where a stage begins, goes on from a checkpoint or ends, for warnings and for
// messages.
class EventLog final : public EventSink {
 public:
  EventLog(EventSink& next, std::string job_id, int attempt)
      : next_(next), job_id_(std::move(job_id)), attempt_(attempt) {}
  void Emit(const v1::Event& event) override;

 private:
  void LogStart(const v1::Progress& progress);
  void LogEnd(const v1::StageReport& stage);

  EventSink& next_;
  const std::string job_id_;
  const int64_t attempt_;
  // The stage whose start was told last, and whether it has counted anything yet.
  std::string stage_;
  bool counted_ = false;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_WORKER_EVENT_LOG_H_
