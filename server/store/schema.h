// The tables of the database and their version.
#ifndef TERSOR_SERVER_STORE_SCHEMA_H_
#define TERSOR_SERVER_STORE_SCHEMA_H_

#include <cstdint>

#include "core/base/status.h"
#include "server/store/sqlite_database.h"

namespace tersor {

// "tsr1" in SQLite's application_id, which tells our file from another program's.
inline constexpr int64_t kApplicationId = 0x74737231;
inline constexpr int kSchemaVersion = 2;

// Creates the tables in an empty database, and what an earlier version lacks in another. FAILED_PRECONDITION for one
// that a newer Tersor or another program wrote.
absl::Status PrepareSchema(SqliteDatabase& database);

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_SCHEMA_H_
