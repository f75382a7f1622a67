#include "server/tersord/token_access.h"

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/testing/fake_clock.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// One that is valid and that nobody knows would lock everybody out until it expires.
TEST(TokenAccessTest, AFirstTokenThatCouldNotBeWrittenIsNotKept) {
  testing::TempFolder temp;
  const testing::FakeClock clock;
  const auto folder = DataFolder::Open(temp.path() / "data");
  ASSERT_TRUE(folder.ok()) << folder.status();
  const auto database = GuardedDatabase::Open((*folder)->database());
  ASSERT_TRUE(database.ok()) << database.status();
  // Nothing can be written over a folder.
  ASSERT_TRUE(fs::create_directory((*folder)->admin_token_file()));
  EXPECT_FALSE(TokenAccess(**database, clock).Open(**folder).ok());
  EXPECT_THAT(SqliteTokenStore(**database).ListTokens().value(), IsEmpty());
  ASSERT_TRUE(fs::remove((*folder)->admin_token_file()));
  TokenAccess tokens(**database, clock);
  ASSERT_TRUE(tokens.Open(**folder).ok());
  const absl::StatusOr<std::string> secret = ReadFile((*folder)->admin_token_file());
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_TRUE(tokens.registry()->Recognize(*secret).ok());
  EXPECT_THAT(tokens.registry()->List(), SizeIs(1));
}

}  // namespace
}  // namespace tersor
