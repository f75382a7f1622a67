// Copies of the database, and what is said when it is damaged.
#ifndef TERSOR_SERVER_STORE_DATABASE_BACKUP_H_
#define TERSOR_SERVER_STORE_DATABASE_BACKUP_H_

#include <filesystem>
#include <vector>

#include "absl/time/time.h"
#include "core/base/status.h"

namespace tersor {

// Copies lie beside the database: backup/tersor-YYYYMMDDTHHMMSSZ.db, newest first.
std::vector<std::filesystem::path> FindBackups(const std::filesystem::path& database);

// Writes a whole copy (VACUUM INTO, over a connection of its own: writers go on meanwhile) and keeps the newest two.
// Thread-safe towards the database's users.
absl::Status BackUp(const std::filesystem::path& database, absl::Time now);

// DATA_LOSS with what was found and the way back (the newest copy, or sqlite3's .recover) where SQLite's quick_check
// finds the file damaged.
absl::Status CheckDatabase(const std::filesystem::path& database);

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_DATABASE_BACKUP_H_
