// The part of SqliteJobStore that keeps events.
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/timestamp.h"
#include "server/store/sqlite_job_store.h"

namespace tersor {

absl::Status SqliteJobStore::AppendEvent(JobRecord& record, v1::Event event, absl::Time now) {
  event.set_sequence(record.job.last_event_sequence() + 1);
  if (!event.has_time()) *event.mutable_time() = ToTimestamp(now);
  record.job.set_last_event_sequence(event.sequence());
  TERSOR_RETURN_IF_ERROR(database_.sql->Run("INSERT INTO events VALUES (?, ?, ?)",
                                            {record.job.id(), event.sequence(), SqlBlob{event.SerializeAsString()}}));
  return UpdateRow(record);
}

absl::Status SqliteJobStore::AppendEvents(absl::string_view id, int attempt, int64_t first_number,
                                          const std::vector<v1::Event>& events, absl::Time now) {
  return Change([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_ASSIGN_OR_RETURN(const AttemptRecord open, SelectOpenAttempt(id, attempt));
    if (first_number < 1 || first_number > open.last_event_number + 1) {
      return absl::InvalidArgumentError(absl::StrCat("events from number ", first_number, " while the last one of the ",
                                                     "attempt is ", open.last_event_number));
    }
    TERSOR_ASSIGN_OR_RETURN(JobRecord record, SelectOne(id));
    const v1::Progress* progress = nullptr;
    int64_t number = first_number;
    for (const v1::Event& event : events) {
      if (number++ <= open.last_event_number) continue;
      TERSOR_RETURN_IF_ERROR(AppendEvent(record, event, now));
      if (event.has_progress()) progress = &event.progress();
    }
    if (progress != nullptr) TERSOR_RETURN_IF_ERROR(StoreProgress(id, *progress));
    if (number - 1 <= open.last_event_number) return absl::OkStatus();
    return database_.sql->Run("UPDATE attempts SET last_event_number = ? WHERE job_id = ? AND number = ?",
                              {number - 1, std::string(id), int64_t{attempt}});
  });
}

absl::StatusOr<std::vector<v1::Event>> SqliteJobStore::ReadEvents(absl::string_view id, int64_t after, int limit) {
  const MutexLock lock(database_.mutex);
  TERSOR_RETURN_IF_ERROR(SelectOne(id).status());
  std::vector<v1::Event> events;
  TERSOR_RETURN_IF_ERROR(
      database_.sql->Query("SELECT event FROM events WHERE job_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                           {std::string(id), after, int64_t{limit}}, [&](const SqlRow& row) {
                             return events.emplace_back().ParseFromString(row.Bytes(0))
                                        ? absl::OkStatus()
                                        : absl::DataLossError(absl::StrCat("an event of job ", id, " cannot be read"));
                           }));
  return events;
}

}  // namespace tersor
