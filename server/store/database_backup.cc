#include "server/store/database_backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "server/store/schema.h"
#include "server/store/sqlite_database.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

constexpr size_t kKept = 2;

fs::path Folder(const fs::path& database) { return database.parent_path() / "backup"; }

absl::Status SyncFile(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "opening", path);
  const bool failed = fsync(fd) != 0;
  const int error = errno;
  close(fd);
  return failed ? ErrnoStatus(error, "syncing", path) : absl::OkStatus();
}

absl::Status Damaged(const fs::path& database, absl::string_view detail) {
  const std::vector<fs::path> copies = FindBackups(database);
  const std::string path = database.string();
  // The log of what was not yet taken into the file goes with it: .recover reads both.
  const std::string aside = absl::StrCat("mv ", path, " ", path, ".damaged; mv -f ", path, "-wal ", path,
                                         ".damaged-wal; rm -f ", path, "-shm; ");
  // Which version it had is lost with .recover: the steps of the schema fit what is there from the first one on.
  const std::string back =
      copies.empty()
          ? absl::StrCat("There is no copy; what can be read is saved by: ", aside, "sqlite3 ", path,
                         ".damaged .recover | sqlite3 ", path, " && sqlite3 ", path,
                         " 'PRAGMA application_id=", kApplicationId, "; PRAGMA user_version=1'")
          : absl::StrCat("Put the newest copy in its place: ", aside, "cp ", copies.front().string(), " ", path,
                         ". Jobs submitted since are then unknown; their folders stay and are listed by tersor gc "
                         "--dry-run as \"orphan\"");
  return absl::DataLossError(
      absl::StrCat("the database ", path, " is damaged (", detail, "). ", back, ". Look after the disk first"));
}

}  // namespace

std::vector<fs::path> FindBackups(const fs::path& database) {
  std::vector<fs::path> copies;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(Folder(database), error)) {
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, "tersor-") && absl::EndsWith(name, ".db")) copies.push_back(entry.path());
  }
  std::sort(copies.rbegin(), copies.rend());
  return copies;
}

absl::Status BackUp(const fs::path& database, absl::Time now) {
  std::error_code error;
  fs::create_directories(Folder(database), error);
  if (error) return ErrnoStatus(error.value(), "creating folder", Folder(database));
  const fs::path temporary = Folder(database) / "unfinished";
  fs::remove(temporary, error);
  {
    TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteDatabase> source, SqliteDatabase::Open(database));
    const absl::Status copied = source->Run("VACUUM INTO ?", {temporary.string()});
    if (!copied.ok()) {
      fs::remove(temporary, error);
      return copied;
    }
  }
  TERSOR_RETURN_IF_ERROR(SyncFile(temporary));
  const std::string time = absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  const fs::path copy = Folder(database) / absl::StrCat("tersor-", time, ".db");
  if (rename(temporary.c_str(), copy.c_str()) != 0) return ErrnoStatus(errno, "renaming", temporary);
  const std::vector<fs::path> copies = FindBackups(database);
  for (size_t i = kKept; i < copies.size(); ++i) fs::remove(copies[i], error);
  return absl::OkStatus();
}

absl::Status CheckDatabase(const fs::path& database) {
  std::string first;
  const absl::StatusOr<std::unique_ptr<SqliteDatabase>> opened = SqliteDatabase::Open(database);
  absl::Status status = opened.status();
  if (opened.ok()) {
    status = (*opened)->Query("PRAGMA quick_check(1)", {}, [&](const SqlRow& row) {
      first = row.Bytes(0);
      return absl::OkStatus();
    });
  }
  if (absl::IsDataLoss(status)) return Damaged(database, status.message());
  TERSOR_RETURN_IF_ERROR(status);
  return first == "ok" ? absl::OkStatus() : Damaged(database, first);
}

}  // namespace tersor
