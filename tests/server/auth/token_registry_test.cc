#include "server/auth/token_registry.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/auth/api_token.h"
#include "server/auth/sqlite_token_store.h"
#include "server/store/guarded_database.h"
#include "tests/server/auth/fake_token_store.h"
#include "tests/server/testing/fake_clock.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

v1::CreateTokenRequest Request(v1::TokenScope scope, int64_t seconds = 0, const std::string& name = "ci") {
  v1::CreateTokenRequest request;
  request.set_name(name);
  request.set_scope(scope);
  request.set_lifetime_seconds(seconds);
  return request;
}

class TokenRegistryTest : public ::testing::Test {
 protected:
  std::string Refusal(absl::string_view secret) {
    const absl::Status status = registry_->Recognize(secret).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
    return std::string(status.message());
  }

  testing::FakeTokenStore store_;
  testing::FakeClock clock_;
  std::unique_ptr<TokenRegistry> registry_ = *TokenRegistry::Load(store_, clock_);
};

TEST_F(TokenRegistryTest, ATokenIsRecognizedUntilItIsRevoked) {
  const NewToken token = *registry_->Create(Request(v1::TOKEN_SCOPE_SUBMIT));
  EXPECT_EQ(registry_->Recognize(token.secret)->id, token.record.id);
  EXPECT_EQ(registry_->Recognize(token.secret)->scope, v1::TOKEN_SCOPE_SUBMIT);
  ASSERT_TRUE(registry_->Revoke(token.record.id).ok());
  EXPECT_THAT(Refusal(token.secret), StartsWith("TOKEN_UNKNOWN"));
  EXPECT_EQ(registry_->Revoke(token.record.id).code(), absl::StatusCode::kNotFound);
}

TEST_F(TokenRegistryTest, OnlyTheHashIsStored) {
  const NewToken token = *registry_->Create(Request(v1::TOKEN_SCOPE_READ));
  const TokenRecord& stored = store_.tokens.begin()->second;
  EXPECT_EQ(stored.sha256, ApiTokenSha256(token.secret));
  for (const std::string& field : {stored.id, stored.sha256, stored.name}) {
    EXPECT_EQ(field.find(token.secret.substr(4, 12)), std::string::npos);
  }
}

TEST_F(TokenRegistryTest, OthersAreRefused) {
  registry_->Create(Request(v1::TOKEN_SCOPE_READ)).IgnoreError();
  EXPECT_THAT(Refusal(NewApiToken()), StartsWith("TOKEN_UNKNOWN"));
  for (const char* word : {"", "tsr_", "admin", "tsr_0000000000000000000000000000000000000000000000000"}) {
    EXPECT_THAT(Refusal(word), StartsWith("TOKEN_MALFORMED")) << word;
  }
}

TEST_F(TokenRegistryTest, SameIdWithAnotherHashIsAnotherToken) {
  const std::string secret = NewApiToken();
  TokenRecord impostor;
  impostor.id = ApiTokenId(ApiTokenSha256(secret));
  impostor.sha256 = impostor.id + std::string(52, '0');
  impostor.scope = v1::TOKEN_SCOPE_ADMIN;
  ASSERT_TRUE(store_.InsertToken(impostor).ok());
  registry_ = *TokenRegistry::Load(store_, clock_);
  EXPECT_THAT(Refusal(secret), StartsWith("TOKEN_UNKNOWN"));
}

TEST_F(TokenRegistryTest, TokensExpire) {
  const NewToken token = *registry_->Create(Request(v1::TOKEN_SCOPE_ADMIN, 60));
  EXPECT_TRUE(registry_->HasValid(v1::TOKEN_SCOPE_ADMIN));
  clock_.Advance(absl::Seconds(59));
  EXPECT_TRUE(registry_->Recognize(token.secret).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Refusal(token.secret), StartsWith("TOKEN_EXPIRED: the API token \"ci\""));
  EXPECT_FALSE(registry_->HasValid(v1::TOKEN_SCOPE_ADMIN));
  EXPECT_EQ(registry_->List().size(), 1) << "it is shown until it is revoked";
}

TEST_F(TokenRegistryTest, LastUseIsStoredOnceAMinute) {
  const NewToken token = *registry_->Create(Request(v1::TOKEN_SCOPE_READ));
  ASSERT_TRUE(registry_->StoreUses().ok());
  EXPECT_EQ(store_.uses, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(registry_->Recognize(token.secret).ok());
  ASSERT_TRUE(registry_->StoreUses().ok());
  EXPECT_EQ(store_.uses, 1);
  EXPECT_EQ(store_.tokens.begin()->second.last_use_time, clock_.Now());
  clock_.Advance(absl::Seconds(30));
  EXPECT_TRUE(registry_->Recognize(token.secret).ok());
  ASSERT_TRUE(registry_->StoreUses().ok());
  EXPECT_EQ(store_.uses, 1);
  clock_.Advance(absl::Seconds(31));
  EXPECT_TRUE(registry_->Recognize(token.secret).ok());
  ASSERT_TRUE(registry_->Revoke(token.record.id).ok());
  ASSERT_TRUE(registry_->StoreUses().ok()) << "what was revoked meanwhile is not stored";
}

TEST_F(TokenRegistryTest, BadRequestsNameTheirField) {
  EXPECT_THAT(registry_->Create(Request(v1::TOKEN_SCOPE_READ, 0, "")).status().message(), HasSubstr("name"));
  EXPECT_THAT(registry_->Create(Request(v1::TOKEN_SCOPE_READ, 0, "a\nb")).status().message(), HasSubstr("name"));
  EXPECT_THAT(registry_->Create(Request(v1::TOKEN_SCOPE_READ, 0, std::string(101, 'n'))).status().message(),
              HasSubstr("name"));
  EXPECT_THAT(registry_->Create(Request(v1::TOKEN_SCOPE_UNSPECIFIED)).status().message(), HasSubstr("scope"));
  EXPECT_THAT(registry_->Create(Request(static_cast<v1::TokenScope>(9))).status().message(), HasSubstr("scope"));
  EXPECT_THAT(registry_->Create(Request(v1::TOKEN_SCOPE_READ, -1)).status().message(), HasSubstr("lifetime"));
  EXPECT_THAT(registry_->Create(Request(v1::TOKEN_SCOPE_READ, INT64_MAX)).status().message(), HasSubstr("lifetime"));
  EXPECT_TRUE(store_.tokens.empty());
}

TEST_F(TokenRegistryTest, WhatTheStoreRefusesDoesNotCount) {
  const NewToken kept = *registry_->Create(Request(v1::TOKEN_SCOPE_READ));
  store_.failure = absl::ResourceExhaustedError("disk full");
  EXPECT_FALSE(registry_->Create(Request(v1::TOKEN_SCOPE_READ)).ok());
  EXPECT_EQ(registry_->List().size(), 1);
  EXPECT_FALSE(registry_->Revoke(kept.record.id).ok());
  EXPECT_TRUE(registry_->Recognize(kept.secret).ok());
}

TEST(SqliteTokenStoreTest, KeepsEverything) {
  const testing::TempFolder folder;
  const auto database = *GuardedDatabase::Open(folder.path() / "tersor.db");
  SqliteTokenStore store(*database);
  testing::FakeClock clock;
  const auto before = *TokenRegistry::Load(store, clock);
  const NewToken forever = *before->Create(Request(v1::TOKEN_SCOPE_READ));
  clock.Advance(absl::Seconds(1));
  const NewToken short_lived = *before->Create(Request(v1::TOKEN_SCOPE_ADMIN, 60, "me"));
  EXPECT_TRUE(before->Recognize(forever.secret).ok());
  ASSERT_TRUE(before->StoreUses().ok());
  // As a server that starts later.
  const auto after = *TokenRegistry::Load(store, clock);
  const std::vector<TokenRecord> tokens = after->List();
  ASSERT_EQ(tokens.size(), 2);
  EXPECT_EQ(tokens[0].id, forever.record.id);
  EXPECT_EQ(tokens[0].expire_time, absl::InfiniteFuture());
  EXPECT_EQ(tokens[0].last_use_time, clock.Now());
  EXPECT_EQ(tokens[1].name, "me");
  EXPECT_EQ(tokens[1].scope, v1::TOKEN_SCOPE_ADMIN);
  EXPECT_EQ(tokens[1].expire_time, clock.Now() + absl::Seconds(60));
  EXPECT_EQ(tokens[1].last_use_time, absl::InfinitePast());
  EXPECT_TRUE(after->Recognize(short_lived.secret).ok());
  EXPECT_TRUE(store.DeleteToken(forever.record.id).ok());
  EXPECT_EQ(store.DeleteToken(forever.record.id).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store.SetTokenUse(forever.record.id, clock.Now()).ok());
  EXPECT_EQ(store.InsertToken(short_lived.record).code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace tersor
