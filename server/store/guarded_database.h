// The one connection that the stores share, with its lock and its bell.
#ifndef TERSOR_SERVER_STORE_GUARDED_DATABASE_H_
#define TERSOR_SERVER_STORE_GUARDED_DATABASE_H_

#include <filesystem>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "core/base/status.h"
#include "server/base/mutex.h"
#include "server/store/ballast.h"
#include "server/store/sqlite_database.h"

namespace tersor {

struct GuardedDatabase {
  explicit GuardedDatabase(const std::filesystem::path& path) : ballast(path.parent_path() / "ballast") {}
  // Checks and opens the file and prepares its schema. Errors name the file; DATA_LOSS for a damaged one says the way
  // back.
  static absl::StatusOr<std::unique_ptr<GuardedDatabase>> Open(const std::filesystem::path& path);

  // Used up by what must be stored on a full disk.
  const Ballast ballast;
  Mutex mutex;
  std::unique_ptr<SqliteDatabase> sql ABSL_PT_GUARDED_BY(mutex);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_GUARDED_DATABASE_H_
