#include "server/store/job_state.h"

#include "gtest/gtest.h"
#include "server/store/attempt_outcome.h"

namespace tersor {
namespace {

TEST(JobStateTest, OnlyTheStepsOfTheTableAreLegal) {
  using v1::JobState;
  const std::set<std::pair<JobState, JobState>> legal = {
      {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING},   {v1::JOB_STATE_QUEUED, v1::JOB_STATE_CANCELLED},
      {v1::JOB_STATE_QUEUED, v1::JOB_STATE_SUCCEEDED}, {v1::JOB_STATE_QUEUED, v1::JOB_STATE_FAILED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_QUEUED},   {v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_FAILED},   {v1::JOB_STATE_RUNNING, v1::JOB_STATE_CANCELLED}};
  for (int from = 0; from <= v1::JOB_STATE_CANCELLED; ++from) {
    for (int to = 0; to <= v1::JOB_STATE_CANCELLED; ++to) {
      const auto a = static_cast<JobState>(from);
      const auto b = static_cast<JobState>(to);
      EXPECT_EQ(CheckTransition(a, b).ok(), legal.count({a, b}) == 1) << from << " -> " << to;
    }
  }
}

TEST(JobStateTest, NamesAndBack) {
  for (int state = v1::JOB_STATE_QUEUED; state <= v1::JOB_STATE_CANCELLED; ++state) {
    EXPECT_EQ(ParseJobState(JobStateName(static_cast<v1::JobState>(state))).value(), state);
  }
  EXPECT_EQ(ParseJobState("queued").status().code(), absl::StatusCode::kInvalidArgument);
}

JobRecord Running(int failures, bool cancel_requested) {
  JobRecord record;
  record.job.set_state(v1::JOB_STATE_RUNNING);
  record.job.set_max_attempts(3);
  record.failures = failures;
  record.cancel_requested = cancel_requested;
  return record;
}

TEST(AttemptOutcomeTest, QueuedAgainUntilTheTriesAreUsedUp) {
  const AttemptOutcome died = {
      .next = v1::JOB_STATE_QUEUED, .message = "died", .reason = "WORKER_DIED", .counts_as_failure = true};
  EXPECT_EQ(SettleOutcome(Running(2, false), died).next, v1::JOB_STATE_QUEUED);
  const AttemptOutcome last = SettleOutcome(Running(3, false), died);
  EXPECT_EQ(last.next, v1::JOB_STATE_FAILED);
  EXPECT_EQ(last.reason, "WORKER_DIED");
  EXPECT_EQ(last.message, "gave up after 3 attempts: died");
}

TEST(AttemptOutcomeTest, CancelledUnlessItSucceededFirst) {
  const AttemptOutcome died = {
      .next = v1::JOB_STATE_QUEUED, .message = "died", .reason = "WORKER_DIED", .counts_as_failure = true};
  EXPECT_EQ(SettleOutcome(Running(3, true), died).next, v1::JOB_STATE_CANCELLED);
  AttemptOutcome done;
  done.next = v1::JOB_STATE_SUCCEEDED;
  EXPECT_EQ(SettleOutcome(Running(0, true), done).next, v1::JOB_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace tersor
