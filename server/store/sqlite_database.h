// A thin skin over SQLite: statements with bound values, transactions, errors as Status.
#ifndef TERSOR_SERVER_STORE_SQLITE_DATABASE_H_
#define TERSOR_SERVER_STORE_SQLITE_DATABASE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "core/base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tersor {

struct SqlBlob {
  std::string bytes;
};
using SqlValue = std::variant<std::monostate, int64_t, std::string, SqlBlob>;

// One row of an answer; valid only inside the callback that receives it. A column of another type reads as 0 or "".
class SqlRow {
 public:
  explicit SqlRow(sqlite3_stmt* statement) : statement_(statement) {}
  int64_t Int(int column) const;
  // Text or blob.
  std::string Bytes(int column) const;

 private:
  sqlite3_stmt* statement_;
};

// One connection. Not thread-safe: its owner holds a lock. A full disk is RESOURCE_EXHAUSTED, a broken constraint
// ALREADY_EXISTS, a damaged file DATA_LOSS.
class SqliteDatabase {
 public:
  // Creates the file when missing; WAL, every commit synced to disk, foreign keys enforced.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(const std::filesystem::path& path);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // Runs statements without parameters, separated by ';'.
  absl::Status Execute(absl::string_view sql);
  // Runs one statement; '?' are `values` in order.
  absl::Status Run(absl::string_view sql, const std::vector<SqlValue>& values);
  // Calls `row` for every row of the answer, stopping at its first error.
  absl::Status Query(absl::string_view sql, const std::vector<SqlValue>& values,
                     absl::FunctionRef<absl::Status(const SqlRow&)> row);
  // The first column of the first row; `missing` where there is none.
  absl::StatusOr<int64_t> QueryInt(absl::string_view sql, const std::vector<SqlValue>& values, int64_t missing = 0);
  // Rows that the last Run changed.
  int64_t Changes() const;
  // Runs `body` in one transaction: all of it is stored, or on an error nothing.
  absl::Status InTransaction(absl::FunctionRef<absl::Status()> body);

 private:
  explicit SqliteDatabase(sqlite3* handle) : handle_(handle) {}
  absl::Status Error(int code, absl::string_view what) const;

  sqlite3* handle_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_SQLITE_DATABASE_H_
