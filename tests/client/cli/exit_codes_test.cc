#include "client/cli/exit_codes.h"

#include "gtest/gtest.h"

namespace tersor::client {
namespace {

TEST(ExitCodes, TheNumbersStay) {
  EXPECT_EQ(kExitPassed, 0);
  EXPECT_EQ(kExitGateFailed, 1);
  EXPECT_EQ(kExitUsage, 2);
  EXPECT_EQ(kExitJobFailed, 3);
  EXPECT_EQ(kExitServerUnreachable, 4);
  EXPECT_EQ(kExitInconclusive, 5);
  EXPECT_EQ(kExitCancelled, 6);
  EXPECT_EQ(kExitTimeout, 7);
  EXPECT_EQ(kExitInterrupted, 130);
  EXPECT_EQ(kExitTerminated, 143);
}

TEST(ExitCodes, OfErrors) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), 0);
  for (absl::StatusCode code :
       {absl::StatusCode::kInvalidArgument, absl::StatusCode::kNotFound, absl::StatusCode::kAlreadyExists,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kPermissionDenied, absl::StatusCode::kUnimplemented}) {
    EXPECT_EQ(ExitCodeOf(absl::Status(code, "")), 2) << static_cast<int>(code);
  }
  for (absl::StatusCode code : {absl::StatusCode::kInternal, absl::StatusCode::kDataLoss, absl::StatusCode::kUnknown,
                                absl::StatusCode::kResourceExhausted}) {
    EXPECT_EQ(ExitCodeOf(absl::Status(code, "")), 3) << static_cast<int>(code);
  }
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), 4);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("")), 4);
  EXPECT_EQ(ExitCodeOf(absl::CancelledError("")), 6);
}

TEST(ExitCodes, OfJobs) {
  struct Case {
    v1::JobState state;
    v1::Verdict verdict;
    int code;
  };
  for (const Case& c :
       {Case{v1::JOB_STATE_SUCCEEDED, v1::VERDICT_PASS, 0}, Case{v1::JOB_STATE_SUCCEEDED, v1::VERDICT_FAIL, 1},
        Case{v1::JOB_STATE_SUCCEEDED, v1::VERDICT_INCONCLUSIVE, 5},
        Case{v1::JOB_STATE_SUCCEEDED, v1::VERDICT_UNSPECIFIED, 0}, Case{v1::JOB_STATE_FAILED, v1::VERDICT_PASS, 3},
        Case{v1::JOB_STATE_CANCELLED, v1::VERDICT_PASS, 6}}) {
    v1::Job job;
    job.set_state(c.state);
    job.set_verdict(c.verdict);
    EXPECT_EQ(ExitCodeOf(job), c.code);
  }
}

TEST(ExitCodes, ARecipeMayLetNoisePass) {
  v1::Job job;
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  for (const auto& [policy, code] :
       {std::pair("", 5), std::pair("fail", 5), std::pair("extend", 5), std::pair("pass", 0)}) {
    job.mutable_recipe()->mutable_gating()->set_on_inconclusive(policy);
    job.set_verdict(v1::VERDICT_INCONCLUSIVE);
    EXPECT_EQ(ExitCodeOf(job), code) << policy;
    job.set_verdict(v1::VERDICT_FAIL);
    EXPECT_EQ(ExitCodeOf(job), 1) << policy;
  }
}

}  // namespace
}  // namespace tersor::client
