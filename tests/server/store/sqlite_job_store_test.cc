#include "server/store/sqlite_job_store.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;

class SqliteJobStoreTest : public ::testing::Test {
 protected:
  SqliteJobStoreTest() { Open(); }
  void Open() {
    store_.reset();
    database_.reset();
    auto database = GuardedDatabase::Open(folder_.path() / "tersor.db");
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
    store_ = std::make_unique<SqliteJobStore>(*database_);
  }
  JobRecord NewJob(const std::string& id) {
    JobRecord record;
    record.job.set_id(id);
    record.job.set_state(v1::JOB_STATE_QUEUED);
    record.job.set_max_attempts(2);
    record.job.mutable_recipe()->set_model("m");
    record.job.mutable_plan()->set_fingerprint("print-" + id);
    record.method = "gptq";
    record.model_path = "/models/m";
    return record;
  }
  void Insert(const JobRecord& record) {
    const absl::Status status = store_->Insert(record, nullptr, now_);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<v1::Event> Layers(int first, int count) {
    std::vector<v1::Event> events;
    for (int i = first; i < first + count; ++i)
      events.emplace_back().mutable_layer()->set_name("layer" + std::to_string(i));
    return events;
  }
  std::vector<std::string> Ids(const absl::StatusOr<std::vector<JobRecord>>& records) {
    std::vector<std::string> ids;
    for (const JobRecord& record : records.value()) ids.push_back(record.job.id());
    return ids;
  }

  testing::TempFolder folder_;
  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  std::unique_ptr<GuardedDatabase> database_;
  std::unique_ptr<SqliteJobStore> store_;
};

TEST_F(SqliteJobStoreTest, JobSurvivesReopening) {
  JobRecord record = NewJob("a");
  (*record.job.mutable_labels())["team"] = "x";
  record.request_id = "key";
  record.no_cache = true;
  Insert(record);
  Open();
  const auto stored = store_->Get("a");
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->job.labels().at("team"), "x");
  EXPECT_EQ(stored->job.state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(stored->job.last_event_sequence(), 1);
  EXPECT_EQ(stored->method, "gptq");
  EXPECT_EQ(stored->model_path, "/models/m");
  EXPECT_TRUE(stored->no_cache);
  EXPECT_EQ(store_->FindByRequestId("key")->job.id(), "a");
  EXPECT_EQ(store_->FindByRequestId("other").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteJobStoreTest, IdsAndRequestIdsAreUnique) {
  JobRecord record = NewJob("a");
  record.request_id = "key";
  Insert(record);
  EXPECT_EQ(store_->Insert(record, nullptr, now_).code(), absl::StatusCode::kAlreadyExists);
  record.job.set_id("b");
  EXPECT_EQ(store_->Insert(record, nullptr, now_).code(), absl::StatusCode::kAlreadyExists);
  // Jobs without a key do not collide.
  Insert(NewJob("c"));
  Insert(NewJob("d"));
}

TEST_F(SqliteJobStoreTest, AnswerFromEarlierJobIsStoredWhole) {
  JobRecord record = NewJob("a");
  record.job.set_state(v1::JOB_STATE_SUCCEEDED);
  record.job.set_cached_from("z");
  // Too long for a string's own buffer.
  const std::string message = "answered from the job job-0123456789abcdef";
  record.job.set_status_message(message);
  v1::Report report;
  report.set_summary("good");
  ASSERT_TRUE(store_->Insert(record, &report, now_).ok());
  EXPECT_EQ(store_->Get("a")->job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_TRUE(store_->Get("a")->job.has_end_time());
  EXPECT_EQ(store_->GetReport("a")->summary(), "good");
  EXPECT_EQ(store_->ReadEvents("a", 0, 10)->size(), 2);
  EXPECT_THAT(*store_->FindAnswers("print-a"), ElementsAre("a"));
  const absl::StatusOr<std::vector<v1::Event>> events = store_->ReadEvents("a", 0, 10);
  ASSERT_TRUE(events.ok()) << events.status();
  EXPECT_EQ(events->back().state_changed().reason(), message);
  EXPECT_EQ(store_->Get("a")->job.status_message(), message);
}

TEST_F(SqliteJobStoreTest, AttemptsMoveTheJob) {
  Insert(NewJob("a"));
  const auto first = store_->StartAttempt("a", "hash1", now_);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->number, 1);
  EXPECT_EQ(store_->StartAttempt("a", "hash2", now_).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(store_->SetAttemptHandle("a", 1, "handle").ok());
  EXPECT_EQ(store_->GetAttempt("a", 1)->handle, "handle");
  const AttemptOutcome died = {
      .next = v1::JOB_STATE_QUEUED, .message = "died", .reason = "WORKER_DIED", .counts_as_failure = true};
  EXPECT_EQ(store_->EndAttempt("a", 1, died, now_)->job.state(), v1::JOB_STATE_QUEUED);
  // Fenced off.
  EXPECT_EQ(store_->EndAttempt("a", 1, died, now_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->SetAttemptHandle("a", 1, "x").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->AppendEvents("a", 1, 1, Layers(0, 1), now_).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(store_->StartAttempt("a", "hash2", now_)->number, 2);
  EXPECT_EQ(store_->EndAttempt("a", 2, died, now_)->job.state(), v1::JOB_STATE_FAILED) << "max_attempts is 2";
  EXPECT_EQ(store_->StartAttempt("a", "hash3", now_).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SqliteJobStoreTest, EventsAreNumberedWithoutGapsOverAttempts) {
  Insert(NewJob("a"));
  ASSERT_TRUE(store_->StartAttempt("a", "h", now_).ok());
  ASSERT_TRUE(store_->AppendEvents("a", 1, 1, Layers(1, 3), now_).ok());
  // A repeated call, one that overlaps, one that leaves a gap.
  ASSERT_TRUE(store_->AppendEvents("a", 1, 1, Layers(1, 3), now_).ok());
  ASSERT_TRUE(store_->AppendEvents("a", 1, 3, Layers(3, 2), now_).ok());
  EXPECT_EQ(store_->AppendEvents("a", 1, 6, Layers(6, 1), now_).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->AppendEvents("a", 1, 0, Layers(6, 1), now_).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(store_->EndAttempt("a", 1, {.next = v1::JOB_STATE_QUEUED}, now_).ok());
  ASSERT_TRUE(store_->StartAttempt("a", "h", now_).ok());
  ASSERT_TRUE(store_->AppendEvents("a", 2, 1, Layers(5, 1), now_).ok());
  Open();
  const auto events = store_->ReadEvents("a", 0, 100);
  std::vector<std::string> layers;
  for (size_t i = 0; i < events->size(); ++i) {
    EXPECT_EQ((*events)[i].sequence(), static_cast<int64_t>(i) + 1);
    if ((*events)[i].has_layer()) layers.push_back((*events)[i].layer().name());
  }
  EXPECT_THAT(layers, ElementsAre("layer1", "layer2", "layer3", "layer4", "layer5"));
  EXPECT_EQ(store_->ReadEvents("a", 2, 2)->size(), 2);
  EXPECT_EQ(store_->ReadEvents("a", 2, 2)->front().sequence(), 3);
  EXPECT_EQ(store_->ReadEvents("none", 0, 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteJobStoreTest, NewestProgressIsTheJobs) {
  Insert(NewJob("a"));
  ASSERT_TRUE(store_->StartAttempt("a", "h", now_).ok());
  std::vector<v1::Event> events(2);
  for (int i = 0; i < 2; ++i) {
    events[i].mutable_progress()->set_stage("quantize");
    events[i].mutable_progress()->set_done(i + 1);
  }
  ASSERT_TRUE(store_->AppendEvents("a", 1, 1, events, now_).ok());
  EXPECT_EQ(store_->Get("a")->job.progress().done(), 2);
}

TEST_F(SqliteJobStoreTest, CancelByState) {
  for (const char* id : {"queued", "running", "ended"}) Insert(NewJob(id));
  EXPECT_EQ(store_->RequestCancel("queued", now_)->job.state(), v1::JOB_STATE_CANCELLED);
  ASSERT_TRUE(store_->StartAttempt("running", "h", now_).ok());
  const auto running = store_->RequestCancel("running", now_);
  EXPECT_EQ(running->job.state(), v1::JOB_STATE_RUNNING);
  EXPECT_TRUE(running->cancel_requested);
  EXPECT_EQ(store_->EndAttempt("running", 1, {.next = v1::JOB_STATE_QUEUED}, now_)->job.state(),
            v1::JOB_STATE_CANCELLED);
  ASSERT_TRUE(store_->StartAttempt("ended", "h", now_).ok());
  ASSERT_TRUE(store_->EndAttempt("ended", 1, {.next = v1::JOB_STATE_FAILED}, now_).ok());
  EXPECT_EQ(store_->RequestCancel("ended", now_)->job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(store_->RequestCancel("none", now_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteJobStoreTest, ListPagesNewestFirst) {
  for (const char* id : {"a", "b", "c", "d"}) {
    JobRecord record = NewJob(id);
    (*record.job.mutable_labels())["even"] = id[0] % 2 == 0 ? "yes" : "no";
    record.job.set_parent(id[0] == 'd' ? "a" : "");
    Insert(record);
  }
  EXPECT_THAT(Ids(store_->List({}, 2, 0)), ElementsAre("d", "c"));
  EXPECT_THAT(Ids(store_->List({}, 9, store_->Get("c")->ordinal)), ElementsAre("b", "a"));
  JobFilter filter;
  filter.labels["even"] = "yes";
  EXPECT_THAT(Ids(store_->List(filter, 9, 0)), ElementsAre("d", "b"));
  filter.parent = "a";
  EXPECT_THAT(Ids(store_->List(filter, 9, 0)), ElementsAre("d"));
  filter.state = v1::JOB_STATE_RUNNING;
  EXPECT_THAT(Ids(store_->List(filter, 9, 0)), ElementsAre());
  // Values are bound, never part of the statement.
  JobFilter hostile;
  hostile.method = "gptq' OR '1'='1";
  EXPECT_THAT(Ids(store_->List(hostile, 9, 0)), ElementsAre());
  EXPECT_THAT(Ids(store_->Unfinished()), ElementsAre("a", "b", "c", "d"));
}

TEST_F(SqliteJobStoreTest, DeleteOnlyWhenEnded) {
  Insert(NewJob("a"));
  EXPECT_EQ(store_->Delete("a").code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(store_->RequestCancel("a", now_).ok());
  EXPECT_TRUE(store_->Delete("a").ok());
  EXPECT_EQ(store_->Get("a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->Delete("a").code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteJobStoreTest, CountsByStateAndMethod) {
  Insert(NewJob("a"));
  Insert(NewJob("b"));
  ASSERT_TRUE(store_->StartAttempt("b", "h", now_).ok());
  EXPECT_EQ(store_->CountJobs()->size(), 2);
  EXPECT_TRUE(*store_->UsesModel("/models/m"));
  EXPECT_FALSE(*store_->UsesModel("/models/other"));
}

TEST_F(SqliteJobStoreTest, WaitEndsWithTheNextChange) {
  Insert(NewJob("a"));
  const uint64_t seen = store_->ChangeCount();
  std::thread writer([&] { store_->RequestCancel("a", now_).IgnoreError(); });
  store_->WaitForChange(seen, absl::Seconds(30));
  EXPECT_NE(store_->ChangeCount(), seen);
  writer.join();
}

}  // namespace
}  // namespace tersor
