#include "server/store/schema.h"

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/guarded_database.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

class SchemaTest : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "tersor.db"; }
  void Execute(absl::string_view sql) {
    auto database = SqliteDatabase::Open(path());
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE((*database)->Execute(sql).ok());
  }

  testing::TempFolder folder_;
};

TEST_F(SchemaTest, CreatedOnceAndOpenedAgain) {
  EXPECT_TRUE(GuardedDatabase::Open(path()).ok());
  EXPECT_TRUE(GuardedDatabase::Open(path()).ok());
}

TEST_F(SchemaTest, NewerIsRefused) {
  ASSERT_TRUE(GuardedDatabase::Open(path()).ok());
  Execute("PRAGMA user_version=99");
  const absl::Status status = GuardedDatabase::Open(path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("newer Tersor (its schema is 99, this program knows up to "));
  EXPECT_THAT(status.message(), HasSubstr(path().string()));
}

// What version 1 had is what remains when the later steps are taken back.
TEST_F(SchemaTest, AnEarlierVersionGetsWhatItLacks) {
  ASSERT_TRUE(GuardedDatabase::Open(path()).ok());
  Execute("DROP TABLE tokens; INSERT INTO uploads VALUES ('u', 'm', 5); PRAGMA user_version=1");
  const auto upgraded = GuardedDatabase::Open(path());
  ASSERT_TRUE(upgraded.ok()) << upgraded.status();
  const MutexLock lock((*upgraded)->mutex);
  SqliteDatabase& sql = *(*upgraded)->sql;
  EXPECT_EQ(*sql.QueryInt("PRAGMA user_version", {}), kSchemaVersion);
  EXPECT_EQ(*sql.QueryInt("SELECT count(*) FROM tokens", {}, -1), 0);
  EXPECT_EQ(*sql.QueryInt("SELECT create_ms FROM uploads", {}), 5);
}

TEST_F(SchemaTest, AnotherProgramsDatabaseIsRefused) {
  Execute("CREATE TABLE notes (text TEXT)");
  const absl::Status status = GuardedDatabase::Open(path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("another program"));
}

TEST_F(SchemaTest, AFileThatIsNoDatabaseIsDataLoss) {
  ASSERT_TRUE(WriteFileAtomically(path(), std::string(8192, 'x')).ok());
  EXPECT_EQ(GuardedDatabase::Open(path()).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SchemaTest, FailedTransactionStoresNothing) {
  Execute("CREATE TABLE t (x INTEGER)");
  auto database = SqliteDatabase::Open(path());
  ASSERT_TRUE(database.ok());
  const absl::Status status = (*database)->InTransaction([&]() -> absl::Status {
    TERSOR_RETURN_IF_ERROR((*database)->Run("INSERT INTO t VALUES (?)", {int64_t{1}}));
    return absl::AbortedError("no");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ((*database)->QueryInt("SELECT count(*) FROM t", {}).value(), 0);
}

TEST_F(SchemaTest, FullDiskIsResourceExhausted) {
  auto database = SqliteDatabase::Open(path());
  ASSERT_TRUE(database.ok());
  ASSERT_TRUE((*database)->Execute("CREATE TABLE t (x BLOB); PRAGMA max_page_count=8").ok());
  const absl::Status status = (*database)->Run("INSERT INTO t VALUES (?)", {SqlBlob{std::string(1 << 20, 'x')}});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

}  // namespace
}  // namespace tersor
