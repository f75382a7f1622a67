#include "server/http/admin_pages.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/testing/fake_clock.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

class AdminPagesTest : public ::testing::Test {
 protected:
  HttpAnswer Ask(const std::string& path) { return pages_.at(path)(); }

  testing::FakeClock clock_;
  Readiness readiness_{clock_};
  HttpPages pages_ = AdminPages([] { return "up 1\n"; }, readiness_);
};

TEST_F(AdminPagesTest, MetricsHaveTheTypeThatPrometheusKnows) {
  EXPECT_EQ(Ask("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(Ask("/metrics").body, "up 1\n");
}

TEST_F(AdminPagesTest, LiveAtOnceReadyOnceItServesWithAStore) {
  EXPECT_EQ(Ask("/livez").status, 200);
  EXPECT_EQ(Ask("/readyz").status, 503);
  EXPECT_THAT(Ask("/readyz").body, HasSubstr("starting"));
  readiness_.SetPhase(Readiness::Phase::kServing);
  EXPECT_THAT(Ask("/readyz").body, HasSubstr("no store"));
  readiness_.OnStore(absl::OkStatus());
  EXPECT_EQ(Ask("/readyz").status, 200);
  readiness_.OnStore(absl::DataLossError("database disk image is malformed"));
  EXPECT_EQ(Ask("/readyz").status, 503);
  EXPECT_THAT(Ask("/readyz").body, HasSubstr("no store: database disk image is malformed"));
}

TEST_F(AdminPagesTest, SilentStoreIsNoStore) {
  readiness_.SetPhase(Readiness::Phase::kServing);
  readiness_.OnStore(absl::OkStatus());
  clock_.Advance(absl::Seconds(9));
  EXPECT_EQ(Ask("/readyz").status, 200);
  clock_.Advance(absl::Seconds(2));
  EXPECT_THAT(Ask("/readyz").body, HasSubstr("has not answered for 11 s"));
  EXPECT_EQ(Ask("/livez").status, 200);
  readiness_.OnStore(absl::OkStatus());
  EXPECT_EQ(Ask("/readyz").status, 200);
}

TEST_F(AdminPagesTest, DrainingIsNotReady) {
  readiness_.SetPhase(Readiness::Phase::kServing);
  readiness_.OnStore(absl::OkStatus());
  readiness_.SetPhase(Readiness::Phase::kDraining);
  EXPECT_EQ(Ask("/readyz").status, 503);
  EXPECT_THAT(Ask("/readyz").body, HasSubstr("draining"));
  EXPECT_EQ(Ask("/livez").status, 200);
}

}  // namespace
}  // namespace tersor
