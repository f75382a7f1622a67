#include "client/cpp/job_client.h"

#include "client/cpp/report_client.h"
#include "client/cpp/rpc_status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/testing/fake_server.h"

namespace tersor::client {
namespace {

class JobClientTest : public ::testing::Test {
 protected:
  JobClientTest() : connection_(*Connection::Open(server_.address())), jobs_(connection_) {
    server_.state().job.set_id("j1");
  }
  FakeServer server_;
  Connection connection_;
  JobClient jobs_;
};

TEST_F(JobClientTest, SubmitCarriesEverything) {
  v1::SubmitJobRequest request;
  request.mutable_recipe()->set_model("m");
  request.set_request_id("r1");
  (*request.mutable_labels())["team"] = "a";
  request.set_no_cache(true);
  EXPECT_EQ(jobs_.Submit(request)->id(), "j1");
  EXPECT_EQ(server_.state().submits.at(0).DebugString(), request.DebugString());
}

TEST_F(JobClientTest, FaultsOfARecipeArrive) {
  server_.state().submit_status = ViolationsStatus({{"model", "not found"}});
  absl::StatusOr<v1::Job> job = jobs_.Submit({});
  EXPECT_EQ(FieldFaults(job.status()).at(0).description, "not found");
}

TEST_F(JobClientTest, ListFollowsPagesUpToTheLimit) {
  for (int i = 0; i < 2500; ++i) server_.state().jobs.emplace_back().set_id(std::to_string(i));
  EXPECT_EQ(jobs_.List("", 5000)->size(), 2500u);
  EXPECT_EQ(jobs_.List("", 1200)->size(), 1200u);
  EXPECT_EQ(jobs_.List("", 3)->back().id(), "2");
}

TEST_F(JobClientTest, LogsComeInOrder) {
  for (absl::string_view text : {"a", "b"}) server_.state().logs.emplace_back().set_text(std::string(text));
  std::string all;
  EXPECT_TRUE(jobs_.Logs("j1", [&](const v1::LogChunk& chunk) { all += chunk.text(); }).ok());
  EXPECT_EQ(all, "ab");
}

TEST_F(JobClientTest, ReportsAreFetched) {
  server_.state().report.set_job_id("j1");
  server_.state().report.set_summary("good");
  EXPECT_EQ(GetReport(connection_, "j1")->summary(), "good");
  EXPECT_TRUE(absl::IsNotFound(GetReport(connection_, "other").status()));
}

TEST_F(JobClientTest, NobodyThereNamesTheAddress) {
  server_.Stop();
  absl::Status status = jobs_.Get("j1").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(server_.address()));
}

}  // namespace
}  // namespace tersor::client
