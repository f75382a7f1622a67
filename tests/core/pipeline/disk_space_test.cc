#include "core/pipeline/disk_space.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/pipeline/job_fixture.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

// More than any disk has.
constexpr int64_t kTooMuch = int64_t{1} << 60;

class DiskSpaceTest : public JobFixture {};

TEST_F(DiskSpaceTest, WarnsOfWhatCannotFit) {
  v1::Plan plan;
  plan.set_disk_bytes(kTooMuch);
  const std::vector<v1::Warning> warnings = DiskSpaceWarnings(plan, folder_ / "not/yet/there");
  ASSERT_EQ(warnings.size(), 1);
  EXPECT_EQ(warnings[0].code(), "DISK_SPACE");
  EXPECT_THAT(warnings[0].message(), HasSubstr("1152921504606.8 MB"));
  EXPECT_TRUE(DiskSpaceWarnings(plan, "").empty());
  plan.set_disk_bytes(1);
  EXPECT_TRUE(DiskSpaceWarnings(plan, folder_).empty());
}

TEST_F(DiskSpaceTest, ARunIsRefusedBeforeItComputes) {
  v1::Plan plan;
  plan.set_disk_bytes(kTooMuch);
  EXPECT_EQ(CheckDiskSpace(plan, folder_).code(), absl::StatusCode::kResourceExhausted);
  plan.set_disk_bytes(1);
  EXPECT_TRUE(CheckDiskSpace(plan, folder_).ok());
}

TEST_F(DiskSpaceTest, APlanKnowsWhatItWritesAndSaysNothingWhereItFits) {
  context_.output_dir = folder_ / "out";
  const absl::StatusOr<PlanResult> planned = MakePlan(recipe_, context_);
  ASSERT_TRUE(planned.ok()) << planned.status();
  for (const v1::Warning& warning : planned->plan.warnings()) EXPECT_NE(warning.code(), "DISK_SPACE");
}

// The plan's figure is an upper bound of what the run leaves.
TEST_F(DiskSpaceTest, ARunWritesNoMoreThanItsPlanSays) {
  recipe_.add_export_("gguf:f16");
  const absl::StatusOr<PlanResult> planned = MakePlan(recipe_, context_);
  ASSERT_TRUE(planned.ok()) << planned.status();
  RecordingSink sink;
  const absl::StatusOr<v1::Report> report = RunRecipe(recipe_, Options("w"), sink);
  ASSERT_TRUE(report.ok()) << report.status();
  int64_t written = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_ / "w" / "artifacts")) {
    if (file.is_regular_file() && file.path().stem() != "report") written += static_cast<int64_t>(file.file_size());
  }
  EXPECT_GT(written, 0);
  EXPECT_LE(written, planned->plan.disk_bytes());
}

}  // namespace
}  // namespace tersor
