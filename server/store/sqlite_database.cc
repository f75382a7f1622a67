#include "server/store/sqlite_database.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementPointer = std::unique_ptr<sqlite3_stmt, Finalizer>;

int BindValue(sqlite3_stmt* statement, int index, const SqlValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return sqlite3_bind_int64(statement, index, *integer);
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  if (const auto* blob = std::get_if<SqlBlob>(&value)) {
    return sqlite3_bind_blob64(statement, index, blob->bytes.data(), blob->bytes.size(), SQLITE_TRANSIENT);
  }
  return sqlite3_bind_null(statement, index);
}

absl::StatusCode CodeFor(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kAlreadyExists;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kUnavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

int64_t SqlRow::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string SqlRow::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::filesystem::path& path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(handle));
  if (code != SQLITE_OK) return database->Error(code, absl::StrCat("opening ", path.string()));
  sqlite3_busy_timeout(handle, 5000);
  const absl::Status pragmas =
      database->Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
  if (!pragmas.ok()) return Annotate(pragmas, path.string());
  return database;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(handle_); }

absl::Status SqliteDatabase::Error(int code, absl::string_view what) const {
  const char* reason = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  return absl::Status(CodeFor(code), absl::StrCat("database: ", what, ": ", reason));
}

absl::Status SqliteDatabase::Execute(absl::string_view sql) {
  const int code = sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code, sql.substr(0, 60));
}

absl::Status SqliteDatabase::Run(absl::string_view sql, const std::vector<SqlValue>& values) {
  return Query(sql, values, [](const SqlRow&) { return absl::OkStatus(); });
}

absl::Status SqliteDatabase::Query(absl::string_view sql, const std::vector<SqlValue>& values,
                                   absl::FunctionRef<absl::Status(const SqlRow&)> row) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  const StatementPointer statement(raw);
  if (code != SQLITE_OK) return Error(code, sql.substr(0, 60));
  for (size_t i = 0; i < values.size(); ++i) {
    code = BindValue(raw, static_cast<int>(i) + 1, values[i]);
    if (code != SQLITE_OK) return Error(code, "binding a value");
  }
  while ((code = sqlite3_step(raw)) == SQLITE_ROW) TERSOR_RETURN_IF_ERROR(row(SqlRow(raw)));
  return code == SQLITE_DONE ? absl::OkStatus() : Error(code, sql.substr(0, 60));
}

absl::StatusOr<int64_t> SqliteDatabase::QueryInt(absl::string_view sql, const std::vector<SqlValue>& values,
                                                 int64_t missing) {
  int64_t answer = missing;
  bool first = true;
  TERSOR_RETURN_IF_ERROR(Query(sql, values, [&](const SqlRow& row) {
    if (first) answer = row.Int(0);
    first = false;
    return absl::OkStatus();
  }));
  return answer;
}

int64_t SqliteDatabase::Changes() const { return sqlite3_changes64(handle_); }

absl::Status SqliteDatabase::InTransaction(absl::FunctionRef<absl::Status()> body) {
  TERSOR_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
  absl::Status status = body();
  if (status.ok()) status = Execute("COMMIT");
  // A failed COMMIT may have rolled back by itself; a second ROLLBACK is then refused and changes nothing.
  if (!status.ok()) Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace tersor
