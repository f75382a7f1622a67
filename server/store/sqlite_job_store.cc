#include "server/store/sqlite_job_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/timestamp.h"
#include "server/store/job_state.h"

namespace tersor {
namespace {

constexpr absl::string_view kColumns =
    "SELECT ordinal, id, request_id, model_path, method, no_cache, cancel_requested, failures, last_event, document, "
    "progress FROM jobs ";

absl::StatusOr<JobRecord> ReadRecord(const SqlRow& row) {
  JobRecord record;
  record.ordinal = row.Int(0);
  record.request_id = row.Bytes(2);
  record.model_path = row.Bytes(3);
  record.method = row.Bytes(4);
  record.no_cache = row.Int(5) != 0;
  record.cancel_requested = row.Int(6) != 0;
  record.failures = static_cast<int>(row.Int(7));
  if (!record.job.ParseFromString(row.Bytes(9)) || !record.job.mutable_progress()->ParseFromString(row.Bytes(10))) {
    return absl::DataLossError(absl::StrCat("the stored job ", row.Bytes(1), " cannot be read"));
  }
  if (record.job.progress().stage().empty()) record.job.clear_progress();
  record.job.set_last_event_sequence(row.Int(8));
  return record;
}

// The job as it is kept: what has a column of its own is left out.
SqlBlob Document(const JobRecord& record) {
  v1::Job job = record.job;
  job.clear_progress();
  job.clear_last_event_sequence();
  return SqlBlob{job.SerializeAsString()};
}

int64_t EndMillis(const v1::Job& job) {
  return job.has_end_time() ? absl::ToUnixMillis(FromTimestamp(job.end_time())) : 0;
}

absl::Status UnknownJob(absl::string_view id) { return absl::NotFoundError(absl::StrCat("no job \"", id, "\"")); }

}  // namespace

absl::Status SqliteJobStore::Change(absl::FunctionRef<absl::Status()> body) {
  {
    const MutexLock lock(database_.mutex);
    TERSOR_RETURN_IF_ERROR(database_.sql->InTransaction(body));
  }
  bell_.Ring();
  return absl::OkStatus();
}

absl::Status SqliteJobStore::ChangeAtAllCosts(absl::FunctionRef<absl::Status()> body) {
  const absl::Status status = Change(body);
  if (!absl::IsResourceExhausted(status) || !database_.ballast.Release()) return status;
  return Change(body);
}

absl::StatusOr<std::vector<JobRecord>> SqliteJobStore::Select(absl::string_view where,
                                                              const std::vector<SqlValue>& values) {
  std::vector<JobRecord> records;
  TERSOR_RETURN_IF_ERROR(database_.sql->Query(absl::StrCat(kColumns, where), values, [&](const SqlRow& row) {
    absl::StatusOr<JobRecord> record = ReadRecord(row);
    if (!record.ok()) return record.status();
    records.push_back(*std::move(record));
    return absl::OkStatus();
  }));
  return records;
}

absl::StatusOr<JobRecord> SqliteJobStore::SelectOne(absl::string_view id) {
  TERSOR_ASSIGN_OR_RETURN(std::vector<JobRecord> found, Select("WHERE id = ?", {std::string(id)}));
  if (found.empty()) return UnknownJob(id);
  return std::move(found.front());
}

absl::Status SqliteJobStore::InsertRow(const JobRecord& record, const v1::Report* report, absl::Time now) {
  JobRecord stored = record;
  const v1::JobState state = stored.job.state();
  stored.job.set_state(v1::JOB_STATE_QUEUED);
  const SqlValue request =
      record.request_id.empty() ? SqlValue(std::monostate()) : SqlValue(std::string(record.request_id));
  TERSOR_RETURN_IF_ERROR(database_.sql->Run(
      "INSERT INTO jobs (id, state, request_id, parent, method, fingerprint, model_path, no_cache, document) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {stored.job.id(), int64_t{stored.job.state()}, request, stored.job.parent(), stored.method,
       stored.job.plan().fingerprint(), stored.model_path, int64_t{stored.no_cache}, Document(stored)}));
  for (const auto& [key, value] : stored.job.labels()) {
    TERSOR_RETURN_IF_ERROR(database_.sql->Run("INSERT INTO labels VALUES (?, ?, ?)", {stored.job.id(), key, value}));
  }
  v1::Event queued;
  queued.mutable_state_changed()->set_state(v1::JOB_STATE_QUEUED);
  TERSOR_RETURN_IF_ERROR(AppendEvent(stored, std::move(queued), now));
  if (state != v1::JOB_STATE_SUCCEEDED || report == nullptr) return absl::OkStatus();
  TERSOR_RETURN_IF_ERROR(StoreReport(stored.job.id(), *report));
  // Copies: MoveTo writes the fields that these words come from.
  const std::string message = stored.job.status_message(), reason = stored.job.status_reason();
  return MoveTo(stored, state, message, reason, now);
}

absl::Status SqliteJobStore::Insert(const JobRecord& record, const v1::Report* report, absl::Time now) {
  return Change([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_RETURN_IF_ERROR(ReopenSweep(record, now));
    return InsertRow(record, report, now);
  });
}

absl::StatusOr<JobRecord> SqliteJobStore::Get(absl::string_view id) {
  const MutexLock lock(database_.mutex);
  return SelectOne(id);
}

absl::StatusOr<JobRecord> SqliteJobStore::FindByRequestId(absl::string_view request_id) {
  const MutexLock lock(database_.mutex);
  TERSOR_ASSIGN_OR_RETURN(std::vector<JobRecord> found, Select("WHERE request_id = ?", {std::string(request_id)}));
  if (found.empty()) return absl::NotFoundError(absl::StrCat("no job with request_id \"", request_id, "\""));
  return std::move(found.front());
}

absl::StatusOr<std::vector<JobRecord>> SqliteJobStore::List(const JobFilter& filter, int limit,
                                                            int64_t before_ordinal) {
  std::vector<std::string> conditions = {"1"};
  std::vector<SqlValue> values;
  const auto add = [&](absl::string_view condition, SqlValue value) {
    conditions.emplace_back(condition);
    values.push_back(std::move(value));
  };
  if (before_ordinal != 0) add("ordinal < ?", before_ordinal);
  if (filter.state.has_value()) add("state = ?", int64_t{*filter.state});
  if (filter.parent.has_value()) add("parent = ?", *filter.parent);
  if (filter.method.has_value()) add("method = ?", *filter.method);
  for (const auto& [key, value] : filter.labels) {
    add("id IN (SELECT job_id FROM labels WHERE key = ? AND value = ?)", key);
    values.push_back(value);
  }
  values.push_back(int64_t{limit});
  const MutexLock lock(database_.mutex);
  return Select(absl::StrCat("WHERE ", absl::StrJoin(conditions, " AND "), " ORDER BY ordinal DESC LIMIT ?"), values);
}

absl::StatusOr<std::vector<JobRecord>> SqliteJobStore::Unfinished() {
  const MutexLock lock(database_.mutex);
  return Select("WHERE state IN (?, ?) ORDER BY ordinal",
                {int64_t{v1::JOB_STATE_QUEUED}, int64_t{v1::JOB_STATE_RUNNING}});
}

absl::StatusOr<std::vector<std::string>> SqliteJobStore::QueuedIds() {
  const MutexLock lock(database_.mutex);
  std::vector<std::string> ids;
  TERSOR_RETURN_IF_ERROR(database_.sql->Query("SELECT id FROM jobs WHERE state = ? ORDER BY ordinal",
                                              {int64_t{v1::JOB_STATE_QUEUED}}, [&](const SqlRow& row) {
                                                ids.push_back(row.Bytes(0));
                                                return absl::OkStatus();
                                              }));
  return ids;
}

absl::StatusOr<int64_t> SqliteJobStore::CountQueued() {
  const MutexLock lock(database_.mutex);
  return database_.sql->QueryInt("SELECT count(*) FROM jobs WHERE state = ?", {int64_t{v1::JOB_STATE_QUEUED}});
}

absl::StatusOr<std::vector<JobRecord>> SqliteJobStore::OpenSweeps() {
  const MutexLock lock(database_.mutex);
  return Select("WHERE state = ? AND method = ? ORDER BY ordinal",
                {int64_t{v1::JOB_STATE_RUNNING}, std::string(kSweepMethod)});
}

absl::StatusOr<std::vector<JobRecord>> SqliteJobStore::Children(absl::string_view id) {
  const MutexLock lock(database_.mutex);
  return Select("WHERE parent = ? ORDER BY ordinal", {std::string(id)});
}

absl::StatusOr<std::vector<JobRecord>> SqliteJobStore::EndedBefore(absl::Time before) {
  const MutexLock lock(database_.mutex);
  return Select("WHERE end_ms > 0 AND end_ms < ? ORDER BY end_ms", {absl::ToUnixMillis(before)});
}

absl::StatusOr<std::vector<std::string>> SqliteJobStore::FindAnswers(absl::string_view fingerprint) {
  const MutexLock lock(database_.mutex);
  std::vector<std::string> ids;
  TERSOR_RETURN_IF_ERROR(database_.sql->Query(
      "SELECT id FROM jobs WHERE fingerprint = ? AND state = ? AND report IS NOT NULL ORDER BY ordinal DESC LIMIT 8",
      {std::string(fingerprint), int64_t{v1::JOB_STATE_SUCCEEDED}}, [&](const SqlRow& row) {
        ids.push_back(row.Bytes(0));
        return absl::OkStatus();
      }));
  return ids;
}

absl::Status SqliteJobStore::Delete(absl::string_view id) {
  return Change([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_ASSIGN_OR_RETURN(const JobRecord record, SelectOne(id));
    if (!IsTerminal(record.job.state())) {
      return absl::FailedPreconditionError(
          absl::StrCat("job ", id, " is ", JobStateName(record.job.state()), ": cancel it first"));
    }
    return database_.sql->Run("DELETE FROM jobs WHERE id = ?", {std::string(id)});
  });
}

absl::StatusOr<v1::Report> SqliteJobStore::GetReport(absl::string_view id) {
  const MutexLock lock(database_.mutex);
  TERSOR_ASSIGN_OR_RETURN(const JobRecord record, SelectOne(id));
  std::optional<v1::Report> report;
  TERSOR_RETURN_IF_ERROR(database_.sql->Query(
      "SELECT report FROM jobs WHERE id = ? AND report IS NOT NULL", {std::string(id)}, [&](const SqlRow& row) {
        return report.emplace().ParseFromString(row.Bytes(0))
                   ? absl::OkStatus()
                   : absl::DataLossError(absl::StrCat("the stored report of ", id, " cannot be read"));
      }));
  if (report.has_value()) return *std::move(report);
  return absl::FailedPreconditionError(
      absl::StrCat("job ", id, " is ", JobStateName(record.job.state()), " and has no report"));
}

absl::StatusOr<std::vector<JobCount>> SqliteJobStore::CountJobs() {
  const MutexLock lock(database_.mutex);
  std::vector<JobCount> counts;
  TERSOR_RETURN_IF_ERROR(database_.sql->Query(
      "SELECT state, method, count(*) FROM jobs GROUP BY state, method", {}, [&](const SqlRow& row) {
        counts.push_back({static_cast<v1::JobState>(row.Int(0)), row.Bytes(1), row.Int(2)});
        return absl::OkStatus();
      }));
  return counts;
}

absl::StatusOr<bool> SqliteJobStore::UsesModel(absl::string_view model_path) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<JobRecord> unfinished, Unfinished());
  const auto is_it = [&](absl::string_view path) {
    return path == model_path || absl::StartsWith(path, absl::StrCat(model_path, "/"));
  };
  return std::any_of(unfinished.begin(), unfinished.end(), [&](const JobRecord& record) {
    const v1::Evaluation& evaluate = record.job.recipe().evaluate();
    return is_it(record.model_path) || is_it(evaluate.original()) || is_it(evaluate.baseline_model());
  });
}

absl::Status SqliteJobStore::UpdateRow(const JobRecord& record) {
  return database_.sql->Run(
      "UPDATE jobs SET state = ?, cancel_requested = ?, failures = ?, last_event = ?, end_ms = ?, document = ? "
      "WHERE id = ?",
      {int64_t{record.job.state()}, int64_t{record.cancel_requested}, int64_t{record.failures},
       record.job.last_event_sequence(), EndMillis(record.job), Document(record), record.job.id()});
}

absl::Status SqliteJobStore::StoreProgress(absl::string_view id, const v1::Progress& progress) {
  return database_.sql->Run("UPDATE jobs SET progress = ? WHERE id = ?",
                            {SqlBlob{progress.SerializeAsString()}, std::string(id)});
}

absl::Status SqliteJobStore::StoreReport(absl::string_view id, const v1::Report& report) {
  return database_.sql->Run("UPDATE jobs SET report = ? WHERE id = ?",
                            {SqlBlob{report.SerializeAsString()}, std::string(id)});
}

}  // namespace tersor
