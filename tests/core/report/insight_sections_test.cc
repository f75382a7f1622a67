#include "core/report/insight_sections.h"

#include "core/report/report_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

TEST(InsightSectionsTest, LossByPartInEveryForm) {
  v1::Report report;
  EXPECT_TRUE(LossSplitSection(report).rows.empty());
  for (const auto& [part, value] : {std::pair{"all", 21.5}, std::pair{"weights", 20.0}, std::pair{"kv", 17.25}}) {
    v1::LossShare* share = report.add_loss_split();
    share->set_part(part);
    share->set_perplexity(value);
    share->set_ratio(value / 17);
  }
  for (const std::string& text : {ReportToTable(report), ReportToMarkdown(report), ReportToHtml(report)}) {
    EXPECT_THAT(text, HasSubstr("Loss by what is rounded"));
    EXPECT_THAT(text, HasSubstr("weights alone"));
    EXPECT_THAT(text, HasSubstr("17.25"));
  }
}

TEST(InsightSectionsTest, PlannedBesideActual) {
  v1::Report report;
  v1::StageReport* stage = report.add_stages();
  stage->set_name("write");
  stage->set_seconds(3);
  stage->set_peak_rss_bytes(200);
  stage->set_planned_seconds(5);
  stage->set_planned_peak_bytes(300);
  EXPECT_TRUE(StagesSection(report).note.empty());
  EXPECT_EQ(StagesSection(report).rows[0].size(), 6);
  stage->set_peak_rss_bytes(400);
  EXPECT_EQ(StagesSection(report).note, "More than planned: write.");
  stage->set_reused(true);
  EXPECT_TRUE(StagesSection(report).note.empty());
}

}  // namespace
}  // namespace tersor
