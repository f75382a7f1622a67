#include "client/cpp/job_watch.h"

#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/testing/fake_server.h"

namespace tersor::client {
namespace {

using ::testing::ElementsAre;

class JobWatchTest : public ::testing::Test {
 protected:
  JobWatchTest() : jobs_(*Connection::Open(server_.address())) {
    FakeState& state = server_.state();
    state.job.set_id("j1");
    state.events.push_back(StateEvent(1, v1::JOB_STATE_RUNNING));
    for (int i = 2; i < 8; ++i) state.events.push_back(ProgressEvent(i, "quantize:rtn", i, 8));
    options_.backoff = {absl::Milliseconds(5), absl::Milliseconds(20), 2, absl::Seconds(20)};
    options_.on_reconnect = [this](const absl::Status&, absl::Duration) { ++reconnects_; };
  }
  void EndJob() {
    FakeState& state = server_.state();
    std::lock_guard lock(state.mutex);
    state.events.push_back(StateEvent(8, v1::JOB_STATE_SUCCEEDED));
    state.job.set_state(v1::JOB_STATE_SUCCEEDED);
    state.job.set_last_event_sequence(8);
  }
  absl::StatusOr<v1::Job> Watch() {
    return WatchJob(jobs_, "j1", options_, [this](const v1::Event& event) {
      seen_.push_back(event.sequence());
      if (on_event_) on_event_();
    });
  }

  FakeServer server_;
  JobClient jobs_;
  WatchOptions options_;
  std::vector<int64_t> seen_;
  std::function<void()> on_event_;
  int reconnects_ = 0;
};

TEST_F(JobWatchTest, SeesEveryEventOnceAndAnswersTheJob) {
  EndJob();
  absl::StatusOr<v1::Job> job = Watch();
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(seen_, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(reconnects_, 0);
}

TEST_F(JobWatchTest, StartsAfterTheGivenEvent) {
  EndJob();
  options_.after_sequence = 6;
  ASSERT_TRUE(Watch().ok());
  EXPECT_THAT(seen_, ElementsAre(7, 8));
}

TEST_F(JobWatchTest, GoesOnFromTheLastEventAfterABreak) {
  EndJob();
  server_.state().break_after = 3;
  ASSERT_TRUE(Watch().ok());
  EXPECT_THAT(seen_, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(server_.state().watches, ElementsAre(0, 3, 6));
  EXPECT_EQ(reconnects_, 2);
}

TEST_F(JobWatchTest, AnEarlyEndThatIsNoErrorIsABreakToo) {
  EndJob();
  server_.state().break_after = 5;
  server_.state().break_status = grpc::Status::OK;
  server_.state().job.set_state(v1::JOB_STATE_RUNNING);
  on_event_ = [this] {
    std::lock_guard lock(server_.state().mutex);
    if (seen_.back() == 6) server_.state().job.set_state(v1::JOB_STATE_SUCCEEDED);
  };
  ASSERT_TRUE(Watch().ok());
  EXPECT_THAT(seen_, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(reconnects_, 1);
}

TEST_F(JobWatchTest, SurvivesARestartOfTheServer) {
  bool restarted = false;
  std::thread restarter;
  on_event_ = [&] {
    if (seen_.back() != 7 || restarted) return;
    restarted = true;
    restarter = std::thread([this] {
      server_.Stop();
      EndJob();
      server_.Start();
    });
  };
  absl::StatusOr<v1::Job> job = Watch();
  restarter.join();
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_THAT(seen_, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_GE(reconnects_, 1);
}

TEST_F(JobWatchTest, NobodyThereFailsAtOnce) {
  server_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(Watch().status()));
  EXPECT_EQ(reconnects_, 0);
}

TEST_F(JobWatchTest, GivesUpOnAServerThatStaysAway) {
  options_.backoff.give_up_after = absl::Milliseconds(50);
  std::thread stopper;
  on_event_ = [&] {
    if (seen_.back() == 7) stopper = std::thread([this] { server_.Stop(); });
  };
  absl::Status status = Watch().status();
  stopper.join();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("did not come back"));
}

TEST_F(JobWatchTest, AnUnknownJobIsAnError) {
  absl::Status status = WatchJob(jobs_, "j2", options_, [](const v1::Event&) {}).status();
  EXPECT_TRUE(absl::IsNotFound(status));
}

TEST_F(JobWatchTest, HearsOfItsCancellation) {
  CancellationToken token;
  options_.cancellation = &token;
  on_event_ = [&] {
    if (seen_.back() == 7) token.Cancel();
  };
  EXPECT_TRUE(absl::IsCancelled(Watch().status()));
  EXPECT_EQ(server_.state().cancels, 0);
}

TEST_F(JobWatchTest, EndsAtItsDeadline) {
  options_.deadline = absl::Now() + absl::Milliseconds(200);
  EXPECT_TRUE(absl::IsDeadlineExceeded(Watch().status()));
  EXPECT_THAT(seen_, ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

}  // namespace
}  // namespace tersor::client
