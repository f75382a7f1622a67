#include "core/compare/sweep_points.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/compare/compared_report.h"
#include "tests/core/compare/comparison_reading.h"

namespace tersor {
namespace {

using testing::ComparedReport;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

NamedReport Sweep(const std::vector<std::string>& points) {
  NamedReport named = {"sweep-1", {}};
  for (const std::string& name : points) {
    v1::SweepResult::Point* point = named.report.mutable_sweep()->add_points();
    point->set_name(name);
    point->set_job_id(absl::StrCat("job-", name));
  }
  return named;
}

absl::StatusOr<v1::Report> Find(const std::string& id) {
  if (id == "job-gone") return absl::NotFoundError("job-gone is not known");
  return ComparedReport({.job_id = id});
}

std::vector<std::string> Names(const ComparedReports& compared) {
  std::vector<std::string> names;
  for (const NamedReport& named : compared.reports) names.push_back(named.name);
  return names;
}

TEST(SweepPointsTest, PointsStandInTheSweepsPlace) {
  ComparedReports compared;
  ASSERT_TRUE(AddCompared(Sweep({"bits=3", "bits=4"}), false, Find, compared).ok());
  EXPECT_THAT(Names(compared), ElementsAre("bits=3", "bits=4"));
  const v1::ReportComparison comparison = testing::Compare(compared.reports);
  EXPECT_THAT(testing::Labels(comparison), ElementsAre("dense", "bits=3", "bits=4"));
  EXPECT_EQ(comparison.models(1).sweep(), "sweep-1");
  EXPECT_EQ(comparison.models(1).job_id(), "job-bits=3");
  EXPECT_EQ(comparison.models(0).sweep(), "");
}

TEST(SweepPointsTest, BesideOthersTheSweepIsNamed) {
  ComparedReports compared;
  ASSERT_TRUE(AddCompared({"job-1", ComparedReport({})}, true, Find, compared).ok());
  ASSERT_TRUE(AddCompared(Sweep({"bits=3"}), true, Find, compared).ok());
  EXPECT_THAT(Names(compared), ElementsAre("job-1", "sweep-1 bits=3"));
}

TEST(SweepPointsTest, PointsWithoutResultsAreTold) {
  NamedReport sweep = Sweep({"bits=3", "bits=2"});
  sweep.report.mutable_sweep()->mutable_points(1)->set_error("FAILED: no memory");
  ComparedReports compared;
  ASSERT_TRUE(AddCompared(sweep, false, Find, compared).ok());
  EXPECT_THAT(Names(compared), ElementsAre("bits=3"));
  const auto comparison = CompareReports(compared.reports, {.warnings = compared.warnings});
  ASSERT_EQ(comparison->warnings_size(), 1);
  EXPECT_EQ(comparison->warnings(0).code(), "SWEEP_POINTS_LEFT_OUT");
  EXPECT_THAT(comparison->warnings(0).message(), HasSubstr("bits=2"));
  sweep.report.mutable_sweep()->mutable_points(0)->set_error("FAILED");
  ComparedReports none;
  EXPECT_EQ(AddCompared(sweep, false, Find, none).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SweepPointsTest, FaultsNameThePoint) {
  ComparedReports compared;
  const absl::Status gone = AddCompared(Sweep({"gone"}), false, Find, compared);
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(gone.message()), HasSubstr("point \"gone\" of sweep sweep-1"));
  std::vector<std::string> many;
  for (int i = 0; i < 65; ++i) many.push_back(absl::StrCat("seed=", i));
  ComparedReports crowd;
  const absl::Status crowded = AddCompared(Sweep(many), false, Find, crowd);
  EXPECT_EQ(crowded.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(crowded.message()), HasSubstr("65 points of sweep sweep-1"));
}

}  // namespace
}  // namespace tersor
