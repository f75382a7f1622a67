#include "client/cpp/rpc_status.h"

#include "gtest/gtest.h"
#include "tests/client/testing/fake_server.h"

namespace tersor::client {
namespace {

TEST(FromGrpc, KeepsCodeMessageAndDetails) {
  absl::Status status =
      FromGrpc(ViolationsStatus({{"stages[0].quantize.gptq.bits", "must be 2..8"}, {"model", "not found"}}));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "the recipe has faults");
  std::vector<FieldFault> faults = FieldFaults(status);
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[0].field, "stages[0].quantize.gptq.bits");
  EXPECT_EQ(faults[0].description, "must be 2..8");
  EXPECT_EQ(faults[1].field, "model");
  EXPECT_EQ(ErrorReason(status), "INVALID_RECIPE");
}

TEST(FromGrpc, PassesOverDetailsItCannotRead) {
  absl::Status status = FromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "no job", "\xFF\xFFgarbage"));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(FieldFaults(status).empty());
  EXPECT_EQ(ErrorReason(status), "");
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

TEST(IsTransient, IsAboutTheConnectionAlone) {
  EXPECT_TRUE(IsTransient(absl::UnavailableError("socket closed")));
  EXPECT_TRUE(IsTransient(absl::InternalError("Received RST_STREAM with error code 2")));
  EXPECT_FALSE(IsTransient(absl::InternalError("a bug")));
  EXPECT_FALSE(IsTransient(absl::NotFoundError("no job")));
  EXPECT_FALSE(IsTransient(absl::OkStatus()));
}

}  // namespace
}  // namespace tersor::client
