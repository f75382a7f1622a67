// Models are read in a process of its own: what happens to it happens to one call.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"
#include "tests/integration/service/service_fixture.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;

class PlanningTest : public ServiceTest {
 protected:
  grpc::Status Estimate(const std::string& script, std::chrono::milliseconds deadline) {
    v1::EstimateJobRequest request;
    *request.mutable_recipe() = Request(script).recipe();
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    v1::Plan plan;
    return client().jobs().EstimateJob(&context, request, &plan);
  }
  grpc::Status Estimate(const std::string& script) { return Estimate(script, std::chrono::seconds(60)); }
  // The processes that read models for this server.
  std::vector<pid_t> Planners() {
    std::vector<pid_t> pids;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
      int pid = 0;
      if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
      const absl::StatusOr<std::string> line = ReadFile(entry.path() / "cmdline");
      const absl::StatusOr<std::string> status = ReadFile(entry.path() / "status");
      if (!line.ok() || !status.ok() || line->find("--serve-planner") == std::string::npos) continue;
      if (status->find(absl::StrCat("PPid:\t", server().pid(), "\n")) != std::string::npos) pids.push_back(pid);
    }
    return pids;
  }
};

TEST_F(PlanningTest, TheDeathOfAPlanIsAFaultOfTheModel) {
  StartServer();
  const grpc::Status status = Estimate("plan=dies");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("model: the process that read it died (killed by signal 9)"));
  EXPECT_EQ(ErrorInfoOf(status).reason(), "INVALID_MODEL");
  EXPECT_TRUE(Estimate("blocks=2").ok()) << "the next one gets a process of its own";
}

// A file may hold any bytes where a name should be.
TEST_F(PlanningTest, WhatIsNoTextIsReplacedInMessages) {
  StartServer();
  const grpc::Status status = Estimate("plan=bytes");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("unknown pre-tokenizer \"\xEF\xBF\xBD\xEF\xBF\xBD\""));
}

TEST_F(PlanningTest, APlanThatTakesTooMuchMemoryIsEnded) {
  StartServer({"--planner-memory", "256MB"});
  const grpc::Status status = Estimate("plan=grows");
  EXPECT_THAT(status.error_message(), HasSubstr("more than 256 MiB of memory"));
  EXPECT_EQ(ErrorInfoOf(status).reason(), "INVALID_MODEL");
  EXPECT_TRUE(Estimate("blocks=2").ok());
}

TEST_F(PlanningTest, WithItsCallerGoneAPlanIsEnded) {
  StartServer();
  const grpc::Status status = Estimate("plan=hangs", std::chrono::milliseconds(500));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] { return Planners().empty(); }, 5));
}

TEST_F(PlanningTest, AProcessIsKeptAndReplacedWhenItIsKilledMeanwhile) {
  StartServer();
  ASSERT_TRUE(Estimate("blocks=2").ok());
  const std::vector<pid_t> first = Planners();
  ASSERT_EQ(first.size(), 1);
  ASSERT_TRUE(Estimate("blocks=2").ok());
  EXPECT_EQ(Planners(), first);
  kill(first[0], SIGKILL);
  EXPECT_TRUE(Estimate("blocks=2").ok()) << "its death between two calls is no fault of the second";
  ASSERT_EQ(Planners().size(), 1);
  EXPECT_NE(Planners(), first);
}

TEST_F(PlanningTest, ItEndsWithTheServer) {
  StartServer();
  ASSERT_TRUE(Estimate("blocks=2").ok());
  const std::vector<pid_t> planners = Planners();
  ASSERT_EQ(planners.size(), 1);
  server().Kill();
  EXPECT_TRUE(Eventually([&] { return kill(planners[0], 0) != 0; }, 5));
  RestartServer();
}

}  // namespace
}  // namespace tersor::testing
