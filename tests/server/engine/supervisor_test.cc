#include "server/engine/supervisor.h"

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/error_details.h"
#include "server/base/timestamp.h"
#include "server/store/sqlite_job_store.h"
#include "tests/server/testing/fake_clock.h"
#include "tests/server/testing/fake_executor.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using testing::FakeExecutor;
using ::testing::HasSubstr;

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest()
      : folder_(*DataFolder::Open(temp_.path() / "data")),
        database_(*GuardedDatabase::Open(folder_->database())),
        store_(*database_),
        answers_(store_, *folder_) {
    limits_.threads = 2;
    limits_.memory_bytes = int64_t{8} << 30;
    limits_.max_attempts = 2;
    limits_.data_paths = {"/texts"};
    Restart();
  }
  // Another server process over the same folder and workers.
  void Restart() {
    supervisor_ = std::make_unique<Supervisor>(store_, executor_, *folder_, answers_, clock_, observer_, limits_,
                                               SupervisorOptions());
    const absl::Status status = supervisor_->Recover();
    ASSERT_TRUE(status.ok()) << status;
  }
  void Submit(const std::string& id, int threads = 2) {
    JobRecord record;
    record.job.set_id(id);
    record.job.set_state(v1::JOB_STATE_QUEUED);
    record.job.set_max_attempts(limits_.max_attempts);
    record.job.mutable_recipe()->set_model("name");
    record.job.mutable_resources()->set_threads(threads);
    record.job.mutable_plan()->set_fingerprint("print-" + id);
    *record.job.mutable_create_time() = ToTimestamp(clock_.Now());
    record.model_path = "/models/m";
    record.method = "gptq";
    ASSERT_TRUE(store_.Insert(record, nullptr, clock_.Now()).ok());
  }
  v1::Job Job(const std::string& id) { return store_.Get(id)->job; }
  FakeExecutor::Worker& Worker(const std::string& handle) { return executor_.workers.at(handle); }
  AttemptCaller Caller(const std::string& id, int attempt) {
    return {id, attempt, Worker(id + "#" + std::to_string(attempt)).token};
  }
  v1::CompleteAttemptRequest Success() {
    v1::CompleteAttemptRequest request;
    request.mutable_report()->set_verdict(v1::VERDICT_PASS);
    return request;
  }
  v1::CompleteAttemptRequest Failure(absl::StatusCode code, bool retryable) {
    v1::CompleteAttemptRequest request;
    request.mutable_failure()->set_code(static_cast<int>(code));
    request.mutable_failure()->set_message("went wrong");
    request.mutable_failure()->set_reason("WRONG");
    request.mutable_failure()->set_retryable(retryable);
    return request;
  }

  // As if the disk took no more bytes.
  void FillDisk() { LimitPages(1); }
  void MakeRoom() { LimitPages(1 << 30); }
  // SQLite raises a limit below the file's pages to as many as there are.
  void LimitPages(int pages) {
    const MutexLock lock(database_->mutex);
    const absl::Status status = database_->sql->Execute(absl::StrCat("PRAGMA max_page_count=", pages));
    ASSERT_TRUE(status.ok()) << status;
  }

  testing::TempFolder temp_;
  testing::FakeClock clock_;
  FakeExecutor executor_;
  SupervisorObserver observer_;
  ServerLimits limits_;
  std::unique_ptr<DataFolder> folder_;
  std::unique_ptr<GuardedDatabase> database_;
  SqliteJobStore store_;
  AnswerCache answers_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(SupervisorTest, RunsAJobToItsEnd) {
  Submit("a");
  supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
  const auto spec = supervisor_->Attach(Caller("a", 1), 77);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->recipe().model(), "/models/m") << "a path, not the registered name";
  EXPECT_EQ(spec->threads(), 2);
  EXPECT_THAT(spec->data_paths(), ElementsAre("/texts"));
  EXPECT_EQ(supervisor_->Heartbeat(Caller("a", 1), 1).value(), false);
  ASSERT_TRUE(supervisor_->Complete(Caller("a", 1), Success()).ok());
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Job("a").verdict(), v1::VERDICT_PASS);
  EXPECT_EQ(store_.GetReport("a")->job_id(), "a");
}

TEST_F(SupervisorTest, AJobThatFoundTheDiskFullIsTriedAgainAfterARest) {
  Submit("a");
  supervisor_->Tick();
  v1::CompleteAttemptRequest full = Failure(absl::StatusCode::kResourceExhausted, true);
  full.mutable_failure()->set_reason(kFullDiskReason);
  ASSERT_TRUE(supervisor_->Complete(Caller("a", 1), full).ok());
  Worker("a#1").status.running = false;
  supervisor_->Tick();
  clock_.Advance(absl::Seconds(29));
  supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(Job("a").attempt(), 1);
  Submit("b");
  supervisor_->Tick();
  EXPECT_EQ(Job("b").state(), v1::JOB_STATE_RUNNING) << "nobody waits for a job that rests";
  ASSERT_TRUE(supervisor_->Complete(Caller("b", 1), Success()).ok());
  Worker("b#1").status.running = false;
  clock_.Advance(absl::Seconds(2));
  supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Job("a").attempt(), 2);
}

TEST_F(SupervisorTest, AWorkerGetsTheReportsThatGatesCompareWith) {
  Submit("a");
  supervisor_->Tick();
  ASSERT_TRUE(supervisor_->Attach(Caller("a", 1), 77).ok());
  ASSERT_TRUE(supervisor_->Complete(Caller("a", 1), Success()).ok());
  JobRecord record;
  record.job.set_id("b");
  record.job.set_state(v1::JOB_STATE_QUEUED);
  record.job.set_max_attempts(1);
  record.job.mutable_resources()->set_threads(2);
  for (const auto& [reference, id] : {std::pair("job:label=release", "a"), std::pair("job:gone", "gone")}) {
    v1::GateBaseline* baseline = record.job.mutable_plan()->add_baselines();
    baseline->set_reference(reference);
    baseline->set_job_id(id);
  }
  ASSERT_TRUE(store_.Insert(record, nullptr, clock_.Now()).ok());
  supervisor_->Tick();
  const auto spec = supervisor_->Attach(Caller("b", 1), 78);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->baselines_size(), 1);
  EXPECT_EQ(spec->baselines().at("job:label=release").job_id(), "a");
}

TEST_F(SupervisorTest, WrongTokensAndStaleAttemptsAreFencedOff) {
  Submit("a");
  supervisor_->Tick();
  AttemptCaller wrong = Caller("a", 1);
  wrong.token.back() ^= 1;
  EXPECT_EQ(supervisor_->Heartbeat(wrong, 0).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(supervisor_->Heartbeat({"a", 2, wrong.token}, 0).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(supervisor_->Heartbeat({"b", 1, ""}, 0).status().code(), absl::StatusCode::kUnauthenticated);
  const AttemptCaller first = Caller("a", 1);
  Worker("a#1").status = {.running = false, .ending = "killed by signal 9"};
  supervisor_->Tick();
  EXPECT_EQ(Job("a").attempt(), 2);
  const absl::Status stale = supervisor_->Complete(first, Success());
  EXPECT_EQ(stale.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(stale), "STALE_ATTEMPT");
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
  // The token of one attempt does not open the next.
  EXPECT_EQ(supervisor_->Heartbeat({"a", 2, first.token}, 0).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(SupervisorTest, DeadWorkersAreReplacedUntilTheTriesAreUsedUp) {
  Submit("a");
  supervisor_->Tick();
  Worker("a#1").status = {.running = false, .out_of_memory = true};
  supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Job("a").attempt(), 2);
  Worker("a#2").status = {.running = false, .out_of_memory = true};
  supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(Job("a").status_reason(), "OUT_OF_MEMORY");
  EXPECT_THAT(Job("a").status_message(), HasSubstr("gave up after 2 attempts"));
}

TEST_F(SupervisorTest, SilentWorkerIsKilledAndOnlyThenReplaced) {
  Submit("a");
  supervisor_->Tick();
  Worker("a#1").dies_when_killed = false;
  clock_.Advance(absl::Seconds(19));
  supervisor_->Tick();
  EXPECT_TRUE(Worker("a#1").stops.empty());
  clock_.Advance(absl::Seconds(2));
  supervisor_->Tick();
  EXPECT_THAT(Worker("a#1").stops, ElementsAre(StopMode::kKill));
  supervisor_->Tick();
  EXPECT_EQ(Job("a").attempt(), 1) << "two workers would write to one workspace";
  Worker("a#1").status.running = false;
  supervisor_->Tick();
  EXPECT_EQ(Job("a").attempt(), 2);
  const auto events = store_.ReadEvents("a", 0, 100);
  EXPECT_THAT(events->at(2).state_changed().reason(), HasSubstr("not heard of for 20s"));
}

TEST_F(SupervisorTest, HeartbeatsKeepAWorkerAlive) {
  Submit("a");
  supervisor_->Tick();
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(absl::Seconds(15));
    ASSERT_TRUE(supervisor_->Heartbeat(Caller("a", 1), 0).ok());
    supervisor_->Tick();
  }
  EXPECT_TRUE(Worker("a#1").stops.empty());
}

TEST_F(SupervisorTest, CancelAsksThenKills) {
  Submit("a");
  supervisor_->Tick();
  ASSERT_TRUE(supervisor_->Cancel("a").ok());
  EXPECT_THAT(Worker("a#1").stops, ElementsAre(StopMode::kAsk));
  EXPECT_TRUE(supervisor_->Heartbeat(Caller("a", 1), 0).value());
  clock_.Advance(absl::Seconds(1));
  supervisor_->Tick();
  EXPECT_EQ(Worker("a#1").stops.size(), 1);
  clock_.Advance(absl::Milliseconds(300));
  supervisor_->Tick();
  EXPECT_THAT(Worker("a#1").stops, ElementsAre(StopMode::kAsk, StopMode::kKill));
  supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(SupervisorTest, WorkerThatHeardTheCancelSaysSo) {
  Submit("a");
  supervisor_->Tick();
  ASSERT_TRUE(supervisor_->Cancel("a").ok());
  ASSERT_TRUE(supervisor_->Complete(Caller("a", 1), Failure(absl::StatusCode::kCancelled, true)).ok());
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(SupervisorTest, OnlyRetryableFailuresAreTriedAgain) {
  Submit("a");
  Submit("b");
  supervisor_->Tick();
  ASSERT_TRUE(supervisor_->Complete(Caller("a", 1), Failure(absl::StatusCode::kInvalidArgument, false)).ok());
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(Job("a").status_reason(), "WRONG");
  supervisor_->Tick();
  ASSERT_TRUE(supervisor_->Complete(Caller("b", 1), Failure(absl::StatusCode::kInternal, true)).ok());
  EXPECT_EQ(Job("b").state(), v1::JOB_STATE_QUEUED);
  // Its next attempt waits until the first worker is gone; one that does not go is killed.
  supervisor_->Tick();
  EXPECT_EQ(Job("b").state(), v1::JOB_STATE_QUEUED);
  clock_.Advance(absl::Seconds(11));
  supervisor_->Tick();
  EXPECT_THAT(Worker("b#1").stops, ElementsAre(StopMode::kKill));
  supervisor_->Tick();
  EXPECT_EQ(Job("b").attempt(), 2);
}

TEST_F(SupervisorTest, WorkerThatCannotBeStartedCountsAsATry) {
  executor_.start_error = absl::NotFoundError("no such program");
  Submit("a");
  for (int i = 0; i < 4; ++i) supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(Job("a").status_reason(), "WORKER_START_FAILED");
  EXPECT_EQ(Job("a").attempt(), 2);
}

TEST_F(SupervisorTest, NextServerTakesWorkersOver) {
  Submit("a", 1);
  Submit("b", 1);
  supervisor_->Tick();
  const AttemptCaller a = Caller("a", 1);
  Worker("b#1").status.running = false;
  Restart();
  EXPECT_EQ(Job("b").state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(store_.Get("b")->failures, 0) << "not the job's fault";
  EXPECT_TRUE(supervisor_->Attach(a, 77).ok());
  EXPECT_TRUE(supervisor_->Complete(a, Success()).ok());
  supervisor_->Tick();
  EXPECT_EQ(Job("b").attempt(), 2);
}

TEST_F(SupervisorTest, NextServerGoesOnWithACancel) {
  Submit("a");
  supervisor_->Tick();
  ASSERT_TRUE(store_.RequestCancel("a", clock_.Now()).ok());
  Restart();
  EXPECT_THAT(Worker("a#1").stops, ElementsAre(StopMode::kAsk));
}

// The server was killed after the attempt was stored and before its worker's handle was.
TEST_F(SupervisorTest, WorkerWithoutAHandleIsAdoptedWhenItAttaches) {
  Submit("a");
  Submit("b");
  supervisor_->Tick();
  const AttemptCaller a = Caller("a", 1);
  ASSERT_TRUE(store_.SetAttemptHandle("a", 1, "").ok());
  Restart();
  ASSERT_TRUE(supervisor_->Attach(a, 4711).ok());
  EXPECT_EQ(store_.GetAttempt("a", 1)->handle, "adopted:4711");
  ASSERT_TRUE(supervisor_->Complete(a, Success()).ok());
}

TEST_F(SupervisorTest, WorkerWithoutAHandleThatNeverAttachesIsReplaced) {
  Submit("a");
  supervisor_->Tick();
  ASSERT_TRUE(store_.SetAttemptHandle("a", 1, "").ok());
  Restart();
  supervisor_->Tick();
  EXPECT_EQ(Job("a").attempt(), 1);
  clock_.Advance(absl::Seconds(21));
  supervisor_->Tick();
  supervisor_->Tick();
  EXPECT_EQ(Job("a").attempt(), 2);
}

TEST_F(SupervisorTest, DrainingStartsNothing) {
  Submit("a", 1);
  supervisor_->Tick();
  Submit("b", 1);
  supervisor_->Drain();
  supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Job("b").state(), v1::JOB_STATE_QUEUED);
}

TEST_F(SupervisorTest, StoppedWorkersCostNoTry) {
  Submit("a");
  supervisor_->Tick();
  supervisor_->StopWorkers();
  EXPECT_THAT(Worker("a#1").stops, ElementsAre(StopMode::kAsk));
  EXPECT_TRUE(supervisor_->HasWorkers());
  ASSERT_TRUE(supervisor_->Complete(Caller("a", 1), Failure(absl::StatusCode::kCancelled, true)).ok());
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(store_.Get("a")->failures, 0);
  EXPECT_FALSE(supervisor_->HasWorkers());
}

TEST_F(SupervisorTest, WorkersCannotForgeStates) {
  Submit("a");
  supervisor_->Tick();
  v1::PublishEventsRequest request;
  request.set_first_number(1);
  request.add_events()->mutable_state_changed()->set_state(v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(supervisor_->Publish(Caller("a", 1), request).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(supervisor_->Complete(Caller("a", 1), {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
}

TEST_F(SupervisorTest, LimitOfMemory) {
  v1::Job job;
  job.mutable_plan()->set_peak_memory_bytes(int64_t{1} << 30);
  EXPECT_EQ(WorkerMemoryLimit(job, limits_), int64_t{2} << 30);
  job.mutable_plan()->set_peak_memory_bytes(1000);
  EXPECT_EQ(WorkerMemoryLimit(job, limits_), int64_t{1} << 30);
  job.mutable_plan()->set_peak_memory_bytes(int64_t{1} << 62);
  EXPECT_EQ(WorkerMemoryLimit(job, limits_), limits_.memory_bytes);
  job.mutable_resources()->set_memory_bytes(5);
  EXPECT_EQ(WorkerMemoryLimit(job, limits_), 5);
}

TEST_F(SupervisorTest, AnEndIsAcknowledgedOnlyOnceItIsStored) {
  Submit("a");
  supervisor_->Tick();
  v1::CompleteAttemptRequest success = Success();
  success.mutable_report()->set_tersor_version(std::string(100000, 'x'));
  FillDisk();
  EXPECT_EQ(supervisor_->Complete(Caller("a", 1), success).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
  EXPECT_TRUE(supervisor_->Heartbeat(Caller("a", 1), 0).ok()) << "the attempt goes on";
  MakeRoom();
  ASSERT_TRUE(supervisor_->Complete(Caller("a", 1), success).ok());
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Job("a").attempt(), 1);
}

TEST_F(SupervisorTest, ADeathThatCannotBeStoredIsStoredLaterAsWhatItWas) {
  Submit("a");
  supervisor_->Tick();
  Worker("a#1").status = {.running = false, .ending = std::string(100000, 'x')};
  FillDisk();
  supervisor_->Tick();
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(supervisor_->Heartbeat(Caller("a", 1), 0).status().code(), absl::StatusCode::kFailedPrecondition);
  MakeRoom();
  clock_.Advance(absl::Minutes(1));
  supervisor_->Tick();
  EXPECT_EQ(Job("a").attempt(), 2);
  EXPECT_EQ(Job("a").state(), v1::JOB_STATE_RUNNING);
}

TEST_F(SupervisorTest, AJobWhoseFolderCannotBeMadeCountsAsATry) {
  Submit("a");
  ASSERT_TRUE(WriteFileAtomically(folder_->job("a"), "in the way").ok());
  supervisor_->Tick();
  EXPECT_EQ(Job("a").status_reason(), "WORKER_START_FAILED");
}

}  // namespace
}  // namespace tersor
