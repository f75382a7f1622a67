#include "server/rpc/event_stream.h"

#include <thread>

#include "gtest/gtest.h"
#include "server/store/sqlite_job_store.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

class EventStreamTest : public ::testing::Test {
 protected:
  EventStreamTest() : database_(*GuardedDatabase::Open(temp_.path() / "tersor.db")), store_(*database_) {
    JobRecord record;
    record.job.set_id("a");
    record.job.set_state(v1::JOB_STATE_QUEUED);
    record.job.set_max_attempts(1);
    EXPECT_TRUE(store_.Insert(record, nullptr, absl::Now()).ok());
    EXPECT_TRUE(store_.StartAttempt("a", "h", absl::Now()).ok());
  }
  void Append(int64_t first, int count) {
    std::vector<v1::Event> events(count);
    for (v1::Event& event : events) event.mutable_message()->set_text("x");
    ASSERT_TRUE(store_.AppendEvents("a", 1, first, events, absl::Now()).ok());
  }
  void End() {
    AttemptOutcome outcome;
    outcome.next = v1::JOB_STATE_FAILED;
    ASSERT_TRUE(store_.EndAttempt("a", 1, outcome, absl::Now()).ok());
  }
  static bool Here() { return false; }

  testing::TempFolder temp_;
  std::unique_ptr<GuardedDatabase> database_;
  SqliteJobStore store_;
};

TEST_F(EventStreamTest, LongHistoryComesWholeAndEndsWithTheJob) {
  Append(1, 1000);
  End();
  int64_t expected = 0;
  const absl::Status status = StreamEvents(store_, "a", 0, Here, [&](const v1::Event& event) {
    EXPECT_EQ(event.sequence(), ++expected);
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(expected, 1003);
}

TEST_F(EventStreamTest, NewEventsComeAsTheyAreStored) {
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) Append(i + 1, 1);
    End();
  });
  int64_t expected = 2;
  const absl::Status status = StreamEvents(store_, "a", 2, Here, [&](const v1::Event& event) {
    EXPECT_EQ(event.sequence(), ++expected);
    return true;
  });
  writer.join();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(expected, 53);
}

TEST_F(EventStreamTest, WatcherOfAnEndedJobThatSawAllEndsAtOnce) {
  End();
  const auto never = [](const v1::Event&) {
    ADD_FAILURE();
    return true;
  };
  EXPECT_TRUE(StreamEvents(store_, "a", 3, Here, never).ok());
  EXPECT_TRUE(StreamEvents(store_, "a", 1000, Here, never).ok());
}

TEST_F(EventStreamTest, GoneWatcherEndsTheStream) {
  int asked = 0;
  EXPECT_EQ(StreamEvents(
                store_, "a", 2, [&] { return ++asked > 1; }, [](const v1::Event&) { return true; })
                .code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(StreamEvents(store_, "a", 0, Here, [](const v1::Event&) { return false; }).code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(StreamEvents(store_, "none", 0, Here, [](const v1::Event&) { return true; }).code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tersor
