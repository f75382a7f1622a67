#include "server/store/database_backup.h"

#include <cstdlib>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/guarded_database.h"
#include "server/store/sqlite_database.h"
#include "server/store/sqlite_job_store.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class DatabaseBackupTest : public ::testing::Test {
 protected:
  fs::path database() const { return temp_.path() / "tersor.db"; }
  void InsertJobs(int count) {
    const auto opened = GuardedDatabase::Open(database());
    ASSERT_TRUE(opened.ok()) << opened.status();
    SqliteJobStore store(**opened);
    for (int i = 0; i < count; ++i) {
      JobRecord record;
      record.job.set_id("job-" + std::to_string(jobs_++));
      record.job.mutable_recipe()->set_description(std::string(2000, 'x'));
      record.job.set_state(v1::JOB_STATE_QUEUED);
      ASSERT_TRUE(store.Insert(record, nullptr, now_).ok());
    }
  }
  int64_t CountQueued() {
    const auto opened = GuardedDatabase::Open(database());
    return opened.ok() ? SqliteJobStore(**opened).CountQueued().value() : -1;
  }
  // Overwrites pages in the middle of the file.
  void Damage() {
    std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(database()) / 2 / 4096 * 4096));
    file << std::string(8192, '\x5a') << std::flush;
  }

  testing::TempFolder temp_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  int jobs_ = 0;
};

TEST_F(DatabaseBackupTest, TheNewestTwoCopiesAreKept) {
  InsertJobs(3);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(BackUp(database(), now_ + absl::Hours(i)).ok());
  const std::vector<fs::path> copies = FindBackups(database());
  ASSERT_THAT(copies, SizeIs(2));
  EXPECT_EQ(copies[0].filename(), "tersor-20270115T110000Z.db");
  EXPECT_EQ(copies[1].filename(), "tersor-20270115T100000Z.db");
}

TEST_F(DatabaseBackupTest, ACopyIsMadeWhileTheStoreIsInUse) {
  const auto opened = GuardedDatabase::Open(database());
  ASSERT_TRUE(opened.ok());
  SqliteJobStore store(**opened);
  JobRecord record;
  record.job.set_id("a");
  record.job.set_state(v1::JOB_STATE_QUEUED);
  ASSERT_TRUE(store.Insert(record, nullptr, now_).ok());
  ASSERT_TRUE(BackUp(database(), now_).ok());
  record.job.set_id("b");
  EXPECT_TRUE(store.Insert(record, nullptr, now_).ok());
}

TEST_F(DatabaseBackupTest, ADamagedFileIsRefusedWithTheWayBackThatWorks) {
  InsertJobs(40);
  ASSERT_TRUE(BackUp(database(), now_).ok());
  InsertJobs(40);
  Damage();
  const absl::Status status = GuardedDatabase::Open(database()).status();
  ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  const std::string message(status.message());
  const fs::path copy = FindBackups(database()).front();
  EXPECT_THAT(message, AllOf(HasSubstr("is damaged"), HasSubstr("cp " + copy.string())));
  // What it says, done: everything between "place: " and the next full stop after the copy's name.
  const size_t begin = message.find("mv "), end = message.find(". Jobs submitted since");
  ASSERT_NE(end, std::string::npos) << message;
  ASSERT_EQ(std::system(message.substr(begin, end - begin).c_str()), 0) << message;
  EXPECT_EQ(CountQueued(), 40) << "those of the copy";
}

TEST_F(DatabaseBackupTest, WithoutACopySqlitesRecoveryIsNamed) {
  InsertJobs(40);
  Damage();
  EXPECT_THAT(GuardedDatabase::Open(database()).status().message(),
              AllOf(HasSubstr(".recover | sqlite3"), HasSubstr("PRAGMA user_version=1'")));
}

// As .recover leaves one of the newest version, and one that was never brought to it.
TEST_F(DatabaseBackupTest, ARecoveredDatabaseOfAnyVersionOpens) {
  InsertJobs(3);
  for (const char* change : {"SELECT 1", "DROP TABLE tokens"}) {
    {
      const auto opened = SqliteDatabase::Open(database());
      ASSERT_TRUE(opened.ok()) << opened.status();
      ASSERT_TRUE((*opened)->Execute(change).ok());
      ASSERT_TRUE((*opened)->Execute("PRAGMA user_version=1").ok());
    }
    EXPECT_EQ(CountQueued(), 3) << change;
    const auto opened = SqliteDatabase::Open(database());
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ((*opened)->QueryInt("SELECT count(*) FROM tokens", {}).value_or(-1), 0) << change;
  }
}

TEST_F(DatabaseBackupTest, AFileThatIsNoDatabaseIsDamaged) {
  std::ofstream(database()) << std::string(10000, 'x');
  EXPECT_EQ(CheckDatabase(database()).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace tersor
