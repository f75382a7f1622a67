#include "server/store/ballast.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "server/store/guarded_database.h"
#include "server/store/sqlite_job_store.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

TEST(BallastTest, IsKeptUntilItIsReleased) {
  const testing::TempFolder temp;
  const Ballast ballast(temp.path() / "ballast");
  EXPECT_FALSE(ballast.Release());
  ballast.Keep();
  EXPECT_GT(std::filesystem::file_size(temp.path() / "ballast"), 0);
  ballast.Keep();
  EXPECT_TRUE(ballast.Release());
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "ballast"));
  EXPECT_FALSE(ballast.Release());
}

// The database's limit of pages stands for the disk: it stays full, so the second try fails too, but it was made.
TEST(BallastTest, TheEndOfAnAttemptUsesItAndAnotherChangeDoesNot) {
  const testing::TempFolder temp;
  const auto database = GuardedDatabase::Open(temp.path() / "tersor.db");
  ASSERT_TRUE(database.ok()) << database.status();
  SqliteJobStore store(**database);
  JobRecord record;
  record.job.set_id("a");
  record.job.set_state(v1::JOB_STATE_QUEUED);
  record.job.set_max_attempts(1);
  ASSERT_TRUE(store.Insert(record, nullptr, absl::Now()).ok());
  ASSERT_TRUE(store.StartAttempt("a", "hash", absl::Now()).ok());
  {
    const MutexLock lock((*database)->mutex);
    ASSERT_TRUE((*database)->sql->Execute("PRAGMA max_page_count=1").ok());
  }
  (*database)->ballast.Keep();
  record.job.set_id("b");
  record.job.mutable_recipe()->set_description(std::string(100000, 'x'));
  EXPECT_EQ(store.Insert(record, nullptr, absl::Now()).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(std::filesystem::exists(temp.path() / "ballast"));
  AttemptOutcome outcome{.next = v1::JOB_STATE_FAILED, .message = std::string(100000, 'x')};
  EXPECT_EQ(store.EndAttempt("a", 1, outcome, absl::Now()).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "ballast"));
}

}  // namespace
}  // namespace tersor
