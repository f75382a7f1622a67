#include "core/pipeline/workspace.h"

#include <filesystem>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class WorkspaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(WorkspaceTest, OneProcessAtATime) {
  auto first = Workspace::Open(folder_, "job", "avx2");
  ASSERT_TRUE(first.ok()) << first.status();
  absl::Status second = Workspace::Open(folder_, "job", "avx2").status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.message(), HasSubstr("another process"));
}

TEST_F(WorkspaceTest, KeepsTheCheckpointOfTheSameJob) {
  {
    auto workspace = *Workspace::Open(folder_, "job", "avx2");
    EXPECT_FALSE(workspace->resumed());
    v1::Report report;
    report.add_stages()->set_name("calibrate");
    ASSERT_TRUE(workspace->SavePartialReport(report).ok());
  }
  auto workspace = *Workspace::Open(folder_, "job", "avx2");
  EXPECT_TRUE(workspace->resumed());
  EXPECT_EQ(workspace->LoadPartialReport()->stages(0).name(), "calibrate");
}

TEST_F(WorkspaceTest, RemovesTheCheckpointOfAnotherJob) {
  {
    auto workspace = *Workspace::Open(folder_, "job", "avx2");
    ASSERT_TRUE(WriteFileAtomically(workspace->checkpoint_dir() / "block", "x").ok());
  }
  auto workspace = *Workspace::Open(folder_, "another", "avx2");
  EXPECT_FALSE(workspace->resumed());
  EXPECT_FALSE(fs::exists(workspace->checkpoint_dir() / "block"));
}

TEST_F(WorkspaceTest, RefusesToGoOnUnderAnotherInstructionSet) {
  { auto workspace = *Workspace::Open(folder_, "job", "avx512_core"); }
  absl::Status status = Workspace::Open(folder_, "job", "avx2").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("avx512_core"));
}

TEST_F(WorkspaceTest, DamagedReportIsDataLoss) {
  auto workspace = *Workspace::Open(folder_, "job", "avx2");
  ASSERT_TRUE(WriteFileAtomically(workspace->checkpoint_dir() / "report.pb", "\xff\xff\xff").ok());
  EXPECT_EQ(workspace->LoadPartialReport().status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace tersor
