#include "server/auth/api_token.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::MatchesRegex;

TEST(ApiTokenTest, FormAndChecksum) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string token = NewApiToken();
    EXPECT_THAT(token, MatchesRegex("tsr_[0-9A-Za-z]{49}"));
    EXPECT_TRUE(IsApiToken(token));
    EXPECT_TRUE(seen.insert(token).second);
  }
}

// The bytes 1 to 32 and their checksum, by Python's integers and hashlib.
TEST(ApiTokenTest, AsComputedElsewhere) {
  EXPECT_TRUE(IsApiToken("tsr_0Eoh211G4c8wtVWM00my5rsNSFlKgaWqQ4mb8gdEqno0RFKXc"));
}

TEST(ApiTokenTest, WhatWasMistypedOrCutOffIsNone) {
  const std::string token = NewApiToken();
  for (size_t i = 0; i < token.size(); ++i) {
    std::string wrong = token;
    wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(IsApiToken(wrong)) << i;
    EXPECT_FALSE(IsApiToken(token.substr(0, i))) << i;
  }
  EXPECT_FALSE(IsApiToken(token + "0"));
  EXPECT_FALSE(IsApiToken(""));
  EXPECT_FALSE(IsApiToken(std::string(53, '\0')));
}

TEST(ApiTokenTest, IdIsOfTheHashNotOfTheSecret) {
  const std::string token = NewApiToken();
  const std::string sha256 = ApiTokenSha256(token);
  EXPECT_THAT(sha256, MatchesRegex("[0-9a-f]{64}"));
  EXPECT_EQ(ApiTokenId(sha256), sha256.substr(0, 12));
}

}  // namespace
}  // namespace tersor
