#include "server/engine/attempt_token.h"

#include "core/base/atomic_file.h"
#include "gtest/gtest.h"
#include "server/base/random_token.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

TEST(AttemptTokenTest, MatchesOnlyItself) {
  const std::string token = NewAttemptToken();
  EXPECT_EQ(token.size(), 64);
  EXPECT_NE(token, NewAttemptToken());
  EXPECT_TRUE(AttemptTokenMatches(token, HashAttemptToken(token)));
  EXPECT_FALSE(AttemptTokenMatches(token + "0", HashAttemptToken(token)));
  EXPECT_FALSE(AttemptTokenMatches("", HashAttemptToken(token)));
  EXPECT_FALSE(AttemptTokenMatches(HashAttemptToken(token), HashAttemptToken(token)));
}

TEST(AttemptTokenTest, FileIsSecretEvenWhereAnOpenOneWas) {
  testing::TempFolder temp;
  const std::filesystem::path path = temp.path() / "token";
  ASSERT_TRUE(WriteFileAtomically(path, "old").ok());
  ASSERT_TRUE(WriteTokenFile(path, "new").ok());
  EXPECT_EQ(*ReadFile(path), "new");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(ConstantTimeEqualTest, Compares) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual("abc", "abc"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "ab"));
}

}  // namespace
}  // namespace tersor
