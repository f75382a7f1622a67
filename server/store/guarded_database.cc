#include "server/store/guarded_database.h"

#include <utility>

#include "server/store/database_backup.h"
#include "server/store/schema.h"

namespace tersor {

absl::StatusOr<std::unique_ptr<GuardedDatabase>> GuardedDatabase::Open(const std::filesystem::path& path) {
  TERSOR_RETURN_IF_ERROR(CheckDatabase(path));
  TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> sql, SqliteDatabase::Open(path));
  TERSOR_RETURN_IF_ERROR(Annotate(PrepareSchema(*sql), path.string()));
  auto database = std::make_unique<GuardedDatabase>(path);
  database->sql = std::move(sql);
  return database;
}

}  // namespace tersor
