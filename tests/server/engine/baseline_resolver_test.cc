#include "server/engine/baseline_resolver.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/data_folder.h"
#include "server/store/sqlite_job_store.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

class BaselineResolverTest : public ::testing::Test {
 protected:
  BaselineResolverTest()
      : folder_(*DataFolder::Open(temp_.path() / "data")),
        database_(*GuardedDatabase::Open(folder_->database())),
        store_(*database_) {}

  void Insert(const std::string& id, v1::JobState state, const std::string& label = "", const std::string& value = "") {
    JobRecord record;
    record.job.set_id(id);
    record.job.set_state(state);
    if (!label.empty()) (*record.job.mutable_labels())[label] = value;
    const v1::Report report;
    ASSERT_TRUE(store_.Insert(record, state == v1::JOB_STATE_SUCCEEDED ? &report : nullptr, absl::Now()).ok());
  }
  std::string Fault(absl::string_view reference) {
    const absl::Status status = ResolveBaseline(store_, reference).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << reference;
    return std::string(status.message());
  }

  testing::TempFolder temp_;
  std::unique_ptr<DataFolder> folder_;
  std::unique_ptr<GuardedDatabase> database_;
  SqliteJobStore store_;
};

TEST_F(BaselineResolverTest, LabelsGiveTheNewestThatSucceeded) {
  Insert("a", v1::JOB_STATE_SUCCEEDED, "release", "1");
  Insert("b", v1::JOB_STATE_SUCCEEDED, "release", "2");
  Insert("c", v1::JOB_STATE_QUEUED, "release", "2");
  Insert("d", v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ResolveBaseline(store_, "job:label=release").value(), "b");
  EXPECT_EQ(ResolveBaseline(store_, "job:label=release=1").value(), "a");
  EXPECT_EQ(ResolveBaseline(store_, "job:d").value(), "d");
}

TEST_F(BaselineResolverTest, WhatIsNotThereIsSaid) {
  Insert("c", v1::JOB_STATE_QUEUED, "release", "2");
  EXPECT_THAT(Fault("job:label=release"), HasSubstr("no job with label release has succeeded yet"));
  EXPECT_THAT(Fault("job:label=release=2"), HasSubstr("no job with label release=2"));
  EXPECT_THAT(Fault("job:nobody"), HasSubstr("job:nobody"));
  EXPECT_THAT(Fault("job:c"), HasSubstr("job:c"));
  EXPECT_THAT(Fault("old/report.json"), HasSubstr("a server compares with jobs"));
}

}  // namespace
}  // namespace tersor
