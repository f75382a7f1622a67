#include "server/store/schema.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// Version 1. Jobs keep what is searched in columns and the rest in `document`, a serialized tersor.v1.Job.
constexpr absl::string_view kTables = R"sql(
CREATE TABLE jobs (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL,
  request_id TEXT UNIQUE,
  parent TEXT NOT NULL,
  method TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  model_path TEXT NOT NULL,
  no_cache INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  last_event INTEGER NOT NULL DEFAULT 0,
  end_ms INTEGER NOT NULL DEFAULT 0,
  document BLOB NOT NULL,
  progress BLOB,
  report BLOB
);
CREATE INDEX jobs_by_state ON jobs (state, end_ms);
CREATE INDEX jobs_by_fingerprint ON jobs (fingerprint, state);
CREATE INDEX jobs_by_parent ON jobs (parent);
CREATE TABLE labels (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (job_id, key)
) WITHOUT ROWID;
CREATE INDEX labels_by_value ON labels (key, value);
CREATE TABLE attempts (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  token_sha256 TEXT NOT NULL,
  handle TEXT NOT NULL DEFAULT '',
  start_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  last_event_number INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
CREATE TABLE events (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  event BLOB NOT NULL,
  PRIMARY KEY (job_id, sequence)
) WITHOUT ROWID;
CREATE TABLE models (
  name TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL,
  model BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  model_name TEXT NOT NULL,
  create_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE upload_files (
  upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (upload_id, path)
) WITHOUT ROWID;
)sql";

// What version N + 1 has over version N, at index N - 1: what it does is never changed once it was released. Each may
// be run on a database that has it already, as one that was recovered begins at version 1 again.
constexpr absl::string_view kSteps[] = {
    // 2: API tokens.
    R"sql(
CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  scope INTEGER NOT NULL,
  create_ms INTEGER NOT NULL,
  expire_ms INTEGER NOT NULL DEFAULT 0,
  last_use_ms INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
)sql",
};
static_assert(std::size(kSteps) == kSchemaVersion - 1);

absl::Status Upgrade(SqliteDatabase& database, int64_t version) {
  return database.InTransaction([&]() -> absl::Status {
    if (version == 0) {
      TERSOR_RETURN_IF_ERROR(database.Execute(kTables));
      TERSOR_RETURN_IF_ERROR(database.Execute(absl::StrCat("PRAGMA application_id=", kApplicationId)));
    }
    for (size_t step = version == 0 ? 0 : static_cast<size_t>(version - 1); step < std::size(kSteps); ++step) {
      TERSOR_RETURN_IF_ERROR(database.Execute(kSteps[step]));
    }
    return database.Execute(absl::StrCat("PRAGMA user_version=", kSchemaVersion));
  });
}

}  // namespace

absl::Status PrepareSchema(SqliteDatabase& database) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t version, database.QueryInt("PRAGMA user_version", {}));
  TERSOR_ASSIGN_OR_RETURN(const int64_t application, database.QueryInt("PRAGMA application_id", {}));
  TERSOR_ASSIGN_OR_RETURN(const int64_t tables, database.QueryInt("SELECT count(*) FROM sqlite_master", {}));
  if (version == 0 && tables == 0) return Upgrade(database, 0);
  if (application != kApplicationId) {
    return absl::FailedPreconditionError("the database was written by another program: use another --data folder");
  }
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the database was written by a newer Tersor (its schema is ",
                                                      version, ", this program knows up to ", kSchemaVersion,
                                                      "): use that program or another --data folder"));
  }
  return version == kSchemaVersion ? absl::OkStatus() : Upgrade(database, version);
}

}  // namespace tersor
