#include "server/rpc/report_service.h"

#include "gtest/gtest.h"
#include "server/store/data_folder.h"
#include "server/store/sqlite_job_store.h"
#include "tests/core/compare/compared_report.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

class ReportServiceTest : public ::testing::Test {
 protected:
  ReportServiceTest()
      : folder_(*DataFolder::Open(temp_.path() / "data")),
        database_(*GuardedDatabase::Open(folder_->database())),
        store_(*database_),
        service_(store_, *folder_) {}

  void Insert(const testing::ReportShape& shape) {
    JobRecord record;
    record.job.set_id(shape.job_id);
    record.job.set_state(v1::JOB_STATE_SUCCEEDED);
    const v1::Report report = testing::ComparedReport(shape);
    ASSERT_TRUE(store_.Insert(record, &report, absl::Now()).ok());
  }
  grpc::Status Compare(const std::vector<std::string>& ids, bool force = false) {
    v1::CompareReportsRequest request;
    for (const std::string& id : ids) request.add_job_ids(id);
    request.set_force(force);
    comparison_.Clear();
    return service_.CompareReports(nullptr, &request, &comparison_);
  }

  testing::TempFolder temp_;
  std::unique_ptr<DataFolder> folder_;
  std::unique_ptr<GuardedDatabase> database_;
  SqliteJobStore store_;
  ReportServiceImpl service_;
  v1::ReportComparison comparison_;
};

TEST_F(ReportServiceTest, ComparesStoredReports) {
  Insert({.job_id = "a"});
  Insert({.job_id = "b", .lost = 2});
  ASSERT_TRUE(Compare({"a", "b"}).ok());
  EXPECT_EQ(comparison_.models_size(), 3);
  EXPECT_EQ(comparison_.models(2).label(), "b");
  EXPECT_EQ(comparison_.confidence(), 0.95);
}

TEST_F(ReportServiceTest, AReportWhoseFilesAreGoneSaysSo) {
  JobRecord record;
  record.job.set_id("a");
  record.job.set_state(v1::JOB_STATE_SUCCEEDED);
  v1::Report stored = testing::ComparedReport({.job_id = "a"});
  stored.add_artifacts()->set_name("tersor");
  stored.add_load_commands()->set_command("tersor download a");
  ASSERT_TRUE(store_.Insert(record, &stored, absl::Now()).ok());
  ASSERT_TRUE(folder_->CreateJob("a").ok());
  v1::GetReportRequest request;
  request.set_job_id("a");
  v1::Report report;
  ASSERT_TRUE(service_.GetReport(nullptr, &request, &report).ok());
  EXPECT_EQ(report.load_commands_size(), 1);
  EXPECT_EQ(report.warnings_size(), stored.warnings_size());
  std::filesystem::remove_all(folder_->artifacts("a"));
  ASSERT_TRUE(service_.GetReport(nullptr, &request, &report).ok());
  EXPECT_EQ(report.load_commands_size(), 0);
  ASSERT_EQ(report.warnings_size(), stored.warnings_size() + 1);
  EXPECT_EQ(report.warnings().rbegin()->code(), "FILES_REMOVED");
  EXPECT_EQ(report.warnings().rbegin()->message(),
            "the files of job a were removed by gc; submit its recipe again with --no-cache");
}

TEST_F(ReportServiceTest, ASweepIsComparedByItsPoints) {
  Insert({.job_id = "a"});
  Insert({.job_id = "b", .lost = 2});
  JobRecord record;
  record.job.set_id("sweep-1");
  record.job.set_state(v1::JOB_STATE_SUCCEEDED);
  v1::Report report;
  for (const char* id : {"a", "b"}) {
    v1::SweepResult::Point* point = report.mutable_sweep()->add_points();
    point->set_job_id(id);
    point->set_name(std::string("seed=") + id);
  }
  ASSERT_TRUE(store_.Insert(record, &report, absl::Now()).ok());
  ASSERT_TRUE(Compare({"sweep-1"}).ok());
  ASSERT_EQ(comparison_.models_size(), 3);
  EXPECT_EQ(comparison_.models(1).label(), "seed=a");
  EXPECT_EQ(comparison_.models(2).sweep(), "sweep-1");
  ASSERT_TRUE(Compare({"sweep-1", "a"}).ok());
  EXPECT_EQ(comparison_.models(1).label(), "sweep-1 seed=a");
}

TEST_F(ReportServiceTest, RefusesWhatCannotBeCompared) {
  Insert({.job_id = "a"});
  Insert({.job_id = "b", .hash = "other"});
  EXPECT_EQ(Compare({"a", "b"}).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(Compare({"a", "b"}, true).ok());
  EXPECT_EQ(Compare({"a", "nobody"}).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Compare({}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Compare(std::vector<std::string>(65, "a")).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace tersor
