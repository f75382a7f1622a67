#include "server/auth/token_processor.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/auth/api_token.h"
#include "tests/server/auth/fake_token_store.h"
#include "tests/server/testing/fake_clock.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TokenProcessorTest : public ::testing::Test {
 protected:
  std::string Token(v1::TokenScope scope) {
    v1::CreateTokenRequest request;
    request.set_name("t");
    request.set_scope(scope);
    return registry_->Create(request)->secret;
  }
  grpc::Status Process(const std::string& rpc, const std::string& header) {
    grpc::AuthMetadataProcessor::InputMetadata metadata = {{":path", rpc}};
    if (!header.empty()) metadata.emplace("authorization", header);
    grpc::AuthMetadataProcessor::OutputMetadata consumed;
    grpc::AuthMetadataProcessor::OutputMetadata response;
    // The context is the connection's, so that a processor that touched it would write what other calls read.
    const grpc::Status status = processor_.Process(metadata, nullptr, &consumed, &response);
    EXPECT_TRUE(consumed.empty()) << "the audit log reads the header";
    return status;
  }

  testing::FakeTokenStore store_;
  testing::FakeClock clock_;
  const std::unique_ptr<TokenRegistry> registry_ = *TokenRegistry::Load(store_, clock_);
  std::vector<AuthRefusal> refusals_;
  RateLimiter limiter_{5, clock_};
  TokenProcessor processor_{*registry_, limiter_, [this](const AuthRefusal& refusal) { refusals_.push_back(refusal); }};
};

constexpr char kRead[] = "/tersor.v1.JobService/GetJob";
constexpr char kSubmit[] = "/tersor.v1.JobService/SubmitJob";
constexpr char kAdmin[] = "/tersor.v1.JobService/DeleteJob";

TEST_F(TokenProcessorTest, EachScopeAllowsThoseBelow) {
  const std::string read = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_READ));
  const std::string submit = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_SUBMIT));
  const std::string admin = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_ADMIN));
  EXPECT_TRUE(Process(kRead, read).ok());
  EXPECT_TRUE(Process(kRead, submit).ok());
  EXPECT_TRUE(Process(kSubmit, submit).ok());
  EXPECT_TRUE(Process(kAdmin, admin).ok());
  for (const auto& [rpc, header] : {std::pair(kSubmit, read), std::pair(kAdmin, read), std::pair(kAdmin, submit)}) {
    const grpc::Status status = Process(rpc, header);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << rpc;
    EXPECT_THAT(status.error_message(), StartsWith("SCOPE_TOO_SMALL"));
  }
}

TEST_F(TokenProcessorTest, WithoutAGoodTokenNothingPasses) {
  const std::string token = Token(v1::TOKEN_SCOPE_ADMIN);
  for (const std::string& header : {std::string(), token, "bearer " + token, "Basic " + token, std::string("Bearer")}) {
    const grpc::Status status = Process(kRead, header);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << header;
    EXPECT_THAT(status.error_message(), StartsWith("TOKEN_MISSING"));
  }
  const grpc::Status mistyped = Process(kRead, "Bearer " + token + "x");
  EXPECT_EQ(mistyped.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(mistyped.error_message().find(token), std::string::npos) << "no secret in an error";
}

TEST_F(TokenProcessorTest, RefusalsAreToldWithTheirReason) {
  const std::string header = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_READ));
  ASSERT_TRUE(Process(kRead, header).ok());
  EXPECT_TRUE(refusals_.empty());
  for (const std::string& bad : {std::string(), std::string("Bearer x"), "Bearer " + NewApiToken()}) {
    EXPECT_FALSE(Process(kRead, bad).ok());
    EXPECT_EQ(refusals_.back().who.token, "");
    EXPECT_EQ(refusals_.back().rpc, kRead);
    EXPECT_THAT(kAuthReasons, ::testing::Contains(refusals_.back().reason));
  }
  EXPECT_EQ(refusals_.size(), 3);
  EXPECT_FALSE(Process(kAdmin, header).ok());
  EXPECT_EQ(refusals_.back().reason, "SCOPE_TOO_SMALL");
  EXPECT_EQ(refusals_.back().who.token_name, "t");
  EXPECT_EQ(refusals_.back().code, grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(TokenProcessorTest, TooManyCallsOfOneTokenWait) {
  const std::string busy = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_READ));
  const std::string other = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_READ));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Process(kRead, busy).ok());
  const grpc::Status status = Process(kRead, busy);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "RATE_LIMITED: the API token \"t\" may make 5 calls a second; try again in 200ms");
  EXPECT_EQ(refusals_.back().reason, kRateLimited);
  EXPECT_TRUE(Process(kRead, other).ok());
  EXPECT_TRUE(Process("/grpc.health.v1.Health/Check", busy).ok());
  clock_.Advance(absl::Milliseconds(200));
  EXPECT_TRUE(Process(kRead, busy).ok());
}

TEST_F(TokenProcessorTest, HealthNeedsNone) {
  EXPECT_TRUE(Process("/grpc.health.v1.Health/Check", "").ok());
  EXPECT_TRUE(Process("/grpc.health.v1.Health/Check", "Bearer nonsense").ok());
}

TEST_F(TokenProcessorTest, CallsBeyondTheScopeCountToo) {
  const std::string header = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_READ));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(Process(kAdmin, header).error_message(), StartsWith("SCOPE_TOO_SMALL"));
  EXPECT_THAT(Process(kAdmin, header).error_message(), StartsWith("RATE_LIMITED"));
}

TEST_F(TokenProcessorTest, TwoHeadersAreRefused) {
  const std::string first = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_READ));
  const std::string second = absl::StrCat("Bearer ", Token(v1::TOKEN_SCOPE_READ));
  const grpc::AuthMetadataProcessor::InputMetadata metadata = {
      {":path", kRead}, {"authorization", first}, {"authorization", second}};
  grpc::AuthMetadataProcessor::OutputMetadata consumed;
  grpc::AuthMetadataProcessor::OutputMetadata response;
  EXPECT_THAT(processor_.Process(metadata, nullptr, &consumed, &response).error_message(),
              StartsWith("TOKEN_MALFORMED"));
}

}  // namespace
}  // namespace tersor
