#include "server/rpc/event_stream.h"

#include <vector>

#include "server/store/job_state.h"

namespace tersor {
namespace {

constexpr int kPage = 256;

}  // namespace

absl::Status StreamEvents(JobStore& store, absl::string_view job_id, int64_t after, absl::FunctionRef<bool()> gone,
                          absl::FunctionRef<bool(const v1::Event&)> write) {
  while (!gone()) {
    // Counted before reading: what is stored in between wakes the wait at once.
    const uint64_t seen = store.ChangeCount();
    TERSOR_ASSIGN_OR_RETURN(const std::vector<v1::Event> events, store.ReadEvents(job_id, after, kPage));
    for (const v1::Event& event : events) {
      if (!write(event)) return absl::CancelledError("the watcher went away");
      after = event.sequence();
      if (!event.has_state_changed() || !IsTerminal(event.state_changed().state())) continue;
      // A sweep may have gone on since; a job that is gone had ended.
      const absl::StatusOr<JobRecord> record = store.Get(job_id);
      if (!record.ok() || IsTerminal(record->job.state())) return absl::OkStatus();
    }
    if (!events.empty()) continue;
    // A watcher that has seen the last event already, or asks for events that never come.
    TERSOR_ASSIGN_OR_RETURN(const JobRecord record, store.Get(job_id));
    if (IsTerminal(record.job.state()) && after >= record.job.last_event_sequence()) return absl::OkStatus();
    store.WaitForChange(seen, absl::Milliseconds(500));
  }
  return absl::CancelledError("the watcher went away");
}

}  // namespace tersor
