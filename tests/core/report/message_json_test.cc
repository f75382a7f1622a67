#include <limits>

#include "core/report/report_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tersor/v1/event.pb.h"
#include "tersor/v1/recipe.pb.h"
#include "tests/core/report/sample_report.h"

namespace tersor {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MessageJsonTest, ReportHasTheKeysThatStay) {
  const json report = json::parse(MessageToJson(testing::SampleReport()));
  EXPECT_EQ(report["verdict"], "PASS");
  const json& perplexity = report["perplexity"][1];
  EXPECT_EQ(perplexity["subject"], "compressed");
  EXPECT_EQ(perplexity["protocol"], "windows of 2048 tokens, the first 8, no BOS");
  EXPECT_EQ(perplexity["hash"].get<std::string>().size(), 64);
  EXPECT_EQ(perplexity["value"], 21.17);
  EXPECT_EQ(perplexity["windows"][1],
            json({{"start", 2048}, {"n", 2047}, {"nll_sum", 6001.5}, {"blocks", json::array()}}));
  EXPECT_EQ(report["stages"][1]["name"], "quantize:gptq");
  EXPECT_EQ(report["stages"][1]["seconds"], 31.5);
  EXPECT_EQ(report["stages"][1]["peak_rss_bytes"], 523000000);
  EXPECT_EQ(report["stages"][0]["reused"], false);
  EXPECT_EQ(report["gates"][0]["outcome"], "PASS");
  EXPECT_EQ(report["tasks"], json::array());
  EXPECT_EQ(report["cached_from"], "");
}

TEST(MessageJsonTest, TasksKeepTheirKeys) {
  v1::Report report;
  v1::TaskResult::Item* item = report.add_tasks()->add_items();
  item->set_id("7");
  item->add_loglikelihoods(-1.5);
  item->add_greedy(true);
  (*item->mutable_scores())["acc"] = 1;
  const json answer = json::parse(MessageToJson(report))["tasks"][0]["items"][0];
  EXPECT_EQ(answer["id"], "7");
  EXPECT_EQ(answer["loglikelihoods"], json::array({-1.5}));
  EXPECT_EQ(answer["greedy"], json::array({true}));
  EXPECT_EQ(answer["scores"], json({{"acc", 1.0}}));
}

TEST(MessageJsonTest, KeysStandInTheProtosOrder) {
  const std::string text = MessageToJson(testing::SampleReport());
  EXPECT_LT(text.find("\"job_id\""), text.find("\"verdict\""));
  EXPECT_LT(text.find("\"verdict\""), text.find("\"perplexity\""));
}

TEST(MessageJsonTest, LargeIntegersAreNumbers) {
  v1::SizeResult size;
  size.set_dense_bytes(9007199254740993);
  EXPECT_THAT(MessageToJson(size, -1), HasSubstr("\"dense_bytes\":9007199254740993"));
}

TEST(MessageJsonTest, UnsetOptionalsAreLeftOutAndSetOnesStay) {
  v1::GptqConfig config;
  config.set_bits(0);
  config.set_scale_search(v1::SCALE_SEARCH_MSE);
  const json value = json::parse(MessageToJson(config));
  EXPECT_EQ(value["bits"], 0);
  EXPECT_FALSE(value.contains("group_size"));
  EXPECT_EQ(value["scale_search"], "MSE");
  EXPECT_FALSE(json::parse(MessageToJson(v1::Stage()))["quantize"].is_object());
}

TEST(MessageJsonTest, EnumsUnknownHereStayNumbers) {
  v1::GateResult gate;
  gate.set_outcome(static_cast<v1::GateOutcome>(17));
  EXPECT_EQ(json::parse(MessageToJson(gate))["outcome"], 17);
}

TEST(MessageJsonTest, TimesAreRfc3339) {
  v1::Event event;
  event.mutable_time()->set_seconds(1763769600);
  event.mutable_time()->set_nanos(500000000);
  EXPECT_EQ(json::parse(MessageToJson(event))["time"], "2025-11-22T00:00:00.5Z");
}

TEST(MessageJsonTest, NumbersThatAreNotFiniteAreNull) {
  v1::PerplexityResult result;
  result.set_value(std::numeric_limits<double>::infinity());
  result.set_nll_sum(std::numeric_limits<double>::quiet_NaN());
  const json value = json::parse(MessageToJson(result));
  EXPECT_TRUE(value["value"].is_null());
  EXPECT_TRUE(value["nll_sum"].is_null());
}

TEST(MessageJsonTest, TextThatIsNotUtf8DoesNotEndTheProgram) {
  v1::Message message;
  message.set_text(
      "a\xFF"
      "b");
  EXPECT_EQ(json::parse(MessageToJson(message))["text"],
            "a\xEF\xBF\xBD"
            "b");
}

TEST(MessageJsonTest, OneLineWithoutIndent) {
  EXPECT_THAT(MessageToJson(testing::SampleReport(), -1), Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace tersor
