#include "server/rpc/grpc_status.h"

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "server/base/error_details.h"
#include "server/base/valid_text.h"

namespace tersor {
namespace {

using ::testing::EndsWith;

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

TEST(GrpcStatusTest, OkHasNoDetails) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_EQ(ToGrpcStatus(absl::OkStatus()).error_details(), "");
}

TEST(GrpcStatusTest, EveryCodeKeepsItsNumberAndHasAReason) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status = ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "text"));
    EXPECT_EQ(status.error_code(), code);
    EXPECT_EQ(status.error_message(), "text");
    google::rpc::ErrorInfo info;
    ASSERT_EQ(Details(status).details_size(), 1);
    ASSERT_TRUE(Details(status).details(0).UnpackTo(&info));
    EXPECT_EQ(info.reason(), absl::StatusCodeToString(static_cast<absl::StatusCode>(code)));
    EXPECT_EQ(info.domain(), "tersor.v1");
  }
}

TEST(GrpcStatusTest, ViolationsAndReasonAreDetails) {
  const grpc::Status status = ToGrpcStatus(BadRequestError({{"a", "wrong"}, {"b", "too"}}, "INVALID_RECIPE"));
  EXPECT_EQ(status.error_message(), "a: wrong\nb: too");
  google::rpc::BadRequest request;
  google::rpc::ErrorInfo info;
  const google::rpc::Status details = Details(status);
  for (const auto& any : details.details()) EXPECT_TRUE(any.UnpackTo(&request) || any.UnpackTo(&info));
  EXPECT_EQ(request.field_violations_size(), 2);
  EXPECT_EQ(request.field_violations(1).description(), "too");
  EXPECT_EQ(info.reason(), "INVALID_RECIPE");
}

TEST(GrpcStatusTest, FitsTheTrailersWhateverTheMessage) {
  std::vector<FieldViolation> violations(1000, {"stages[0].quantize", std::string(50, 'x')});
  violations.push_back({"last", std::string(100000, '\xc3')});
  const grpc::Status status = ToGrpcStatus(BadRequestError(violations, "INVALID_RECIPE"));
  EXPECT_LT(status.error_message().size() + status.error_details().size() * 4 / 3, 8192 - 512);
  EXPECT_THAT(status.error_message(), EndsWith("..."));
  // Not cut inside a character.
  const std::string text = std::string(1023, 'a') + "\xc3\xa9" + std::string(100, 'b');
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(text)).error_message(), std::string(1023, 'a') + "...");
}

TEST(ValidTextTest, OnlyWellFormedCharactersStay) {
  EXPECT_EQ(ToValidText("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 100), "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(ToValidText("\xff\xc3", 100), "??");
  EXPECT_EQ(ToValidText("\xc0\x80", 100), "??") << "overlong";
  EXPECT_EQ(ToValidText("\xed\xa0\x80", 100), "???") << "surrogate";
  EXPECT_EQ(ToValidText("\xf4\x90\x80\x80", 100), "????") << "past the last character";
  EXPECT_EQ(ToValidText("ab\xc3\xa9", 3), "ab...");
  EXPECT_EQ(ToValidText("ab\xc3\xa9", 4), "ab\xc3\xa9");
}

TEST(ErrorDetailsTest, ReasonsTravel) {
  const absl::Status status = WithReason(absl::AbortedError("x"), "BUSY", {{"job", "a"}});
  EXPECT_EQ(ReasonOf(status), "BUSY");
  EXPECT_EQ(ReasonOf(Annotate(status, "context")), "BUSY");
  EXPECT_EQ(ReasonOf(absl::AbortedError("x")), "");
}

}  // namespace
}  // namespace tersor
