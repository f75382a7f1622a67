#include "server/worker/server_link.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "gtest/gtest.h"
#include "server/worker/failure.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

class AnsweringService final : public v1::WorkerService::Service {
 public:
  grpc::Status Heartbeat(grpc::ServerContext* context, const v1::HeartbeatRequest*, v1::HeartbeatResponse*) override {
    ++calls;
    const auto token = context->client_metadata().find("tersor-attempt-token");
    if (token != context->client_metadata().end()) last_token = std::string(token->second.data(), token->second.size());
    return failures-- > 0 ? failure : answer;
  }
  // The next `count` calls get `status`; counts calls anew.
  void Fail(int count, grpc::Status status) {
    failure = std::move(status);
    failures = count;
    calls = 0;
  }
  std::atomic<int> calls{0};
  std::atomic<int> failures{0};
  grpc::Status failure;
  std::string last_token;
  grpc::Status answer;
};

class ServerLinkTest : public ::testing::Test {
 protected:
  LinkOptions Options(absl::Duration patience) {
    return {.endpoint_file = temp_.path() / "endpoint",
            .token = "secret",
            .patience = patience,
            .first_backoff = absl::Milliseconds(1),
            .last_backoff = absl::Milliseconds(20)};
  }
  std::unique_ptr<grpc::Server> Serve() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    auto server = builder.BuildAndStart();
    EXPECT_TRUE(WriteFileAtomically(temp_.path() / "endpoint", absl::StrCat("127.0.0.1:", port, "\n")).ok());
    return server;
  }
  absl::Status Beat(ServerLink& link) {
    return link.Call([&](auto& stub, grpc::ClientContext& context) {
      ++tries_;
      v1::HeartbeatResponse response;
      return stub.Heartbeat(&context, v1::HeartbeatRequest(), &response);
    });
  }

  testing::TempFolder temp_;
  SystemClock clock_;
  AnsweringService service_;
  std::atomic<int> tries_{0};
};

TEST_F(ServerLinkTest, ShowsTheToken) {
  const auto server = Serve();
  ServerLink link(Options(absl::Minutes(1)), clock_);
  EXPECT_TRUE(Beat(link).ok());
  EXPECT_EQ(service_.last_token, "secret");
}

TEST_F(ServerLinkTest, FindsTheServerThatComesLaterOnAnotherPort) {
  auto server = Serve();
  ServerLink link(Options(absl::Minutes(1)), clock_);
  ASSERT_TRUE(Beat(link).ok());
  server->Shutdown();
  server.reset();
  tries_ = 0;
  std::thread later([&] {
    // Only once the link has met a dead port.
    while (tries_ < 2) std::this_thread::yield();
    server = Serve();
  });
  EXPECT_TRUE(Beat(link).ok());
  later.join();
  EXPECT_GE(tries_, 3);
}

TEST_F(ServerLinkTest, AnswersOfTheServerAreNotRepeated) {
  const auto server = Serve();
  ServerLink link(Options(absl::Minutes(1)), clock_);
  service_.answer = grpc::Status(grpc::FAILED_PRECONDITION, "over");
  const absl::Status status = Beat(link);
  EXPECT_TRUE(IsFencedOff(status)) << status;
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(ServerLinkTest, WhatPassesIsAskedAgain) {
  const auto server = Serve();
  ServerLink link(Options(absl::Minutes(1)), clock_);
  for (const grpc::StatusCode code : {grpc::RESOURCE_EXHAUSTED, grpc::INTERNAL, grpc::ABORTED, grpc::UNKNOWN}) {
    service_.Fail(3, grpc::Status(code, "for now"));
    EXPECT_TRUE(Beat(link).ok()) << code;
    EXPECT_EQ(service_.calls, 4) << code;
  }
}

TEST_F(ServerLinkTest, AFullDiskIsNoAbsenceOfTheServer) {
  const auto server = Serve();
  ServerLink link(Options(absl::Milliseconds(1)), clock_);
  service_.Fail(20, grpc::Status(grpc::RESOURCE_EXHAUSTED, "no room"));
  EXPECT_TRUE(Beat(link).ok()) << "the patience is for a server that says nothing";
}

TEST_F(ServerLinkTest, GivesUpAfterItsPatience) {
  ServerLink link(Options(absl::Milliseconds(50)), clock_);
  EXPECT_EQ(Beat(link).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(link.PatienceIsOver());
}

TEST_F(ServerLinkTest, CloseEndsTheWait) {
  ServerLink link(Options(absl::Hours(1)), clock_);
  link.Close();
  EXPECT_EQ(Beat(link).code(), absl::StatusCode::kUnavailable);
}

TEST(FailureTest, WhatAnotherTryCannotChange) {
  EXPECT_FALSE(ToFailure(absl::InvalidArgumentError("x")).retryable());
  EXPECT_EQ(ToFailure(absl::InvalidArgumentError("x")).reason(), "INVALID_INPUT");
  EXPECT_FALSE(ToFailure(absl::NotFoundError("x")).retryable());
  EXPECT_FALSE(ToFailure(absl::DataLossError("x")).retryable());
  EXPECT_TRUE(ToFailure(absl::InternalError("x")).retryable());
  EXPECT_TRUE(ToFailure(absl::ResourceExhaustedError("x")).retryable());
  EXPECT_EQ(ToFailure(absl::CancelledError("x")).code(), static_cast<int>(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace tersor
