// What explains a job: advice, forecasts, the loss by what is rounded, planned against actual, statistics.
#include <cmath>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/encoding/activation_format.h"
#include "core/evaluate/kv_cache_cost.h"
#include "core/formats/safetensors.h"
#include "core/model/model.h"
#include "core/pipeline/advice.h"
#include "core/pipeline/loss_split.h"
#include "core/pipeline/speed_forecast.h"
#include "gmock/gmock.h"
#include "tests/core/pipeline/job_fixture.h"

namespace tersor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class InsightTest : public JobFixture {
 protected:
  v1::Plan Plan() {
    const absl::StatusOr<PlanResult> result = MakePlan(recipe_, context_);
    EXPECT_TRUE(result.ok()) << result.status();
    for (const FieldViolation& violation : result->violations) ADD_FAILURE() << violation.description;
    return result->plan;
  }
  v1::Report Run(const std::string& workspace) {
    RecordingSink sink;
    absl::StatusOr<v1::Report> report = RunRecipe(recipe_, Options(workspace), sink);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : v1::Report();
  }
  void SetStage(const std::string& text) {
    recipe_.clear_stages();
    *recipe_.add_stages() = ParseRecipe(absl::StrCat("stages { quantize { ", text, " } }")).stages(0);
  }
  static std::vector<std::string> MessagesOf(const v1::Plan& plan, absl::string_view code) {
    std::vector<std::string> messages;
    for (const v1::Warning& warning : plan.warnings()) {
      if (warning.code() == code) messages.push_back(warning.message());
    }
    return messages;
  }
};

TEST_F(InsightTest, EveryEntryOfTheAdviceHasPapersAndKnownFacts) {
  const absl::StatusOr<std::vector<Advice>> advice = ParseAdvice(AdviceText());
  ASSERT_TRUE(advice.ok()) << advice.status();
  std::set<std::string> ids;
  for (const Advice& entry : *advice) {
    EXPECT_TRUE(ids.insert(entry.id).second) << entry.id;
    for (const std::string& source : entry.sources) {
      EXPECT_TRUE(absl::StrContains(source, "arXiv") || absl::StartsWith(source, "https://")) << source;
    }
  }
  EXPECT_TRUE(ids.count("fp8-when-int8-fails") == 1 && ids.count("n-m-sparsity") == 1 &&
              ids.count("four-bits-first") == 1);
}

TEST(AdviceTest, ConditionsAndFaults) {
  const auto advice = ParseAdvice(
      R"([{"id": "a", "when": [{"fact": "weight_bits", "below": 4}, {"fact": "method", "is": "rtn"}], "text": "t",
           "sources": ["s"]}])");
  ASSERT_TRUE(advice.ok()) << advice.status();
  EXPECT_EQ(AdviceFor(*advice, {{"weight_bits", 3}, {"method", "rtn"}}, "x")[0].message(), "a: t (s)");
  EXPECT_TRUE(AdviceFor(*advice, {{"weight_bits", 4}, {"method", "rtn"}}, "x").empty());
  EXPECT_TRUE(AdviceFor(*advice, {{"weight_bits", 3}, {"method", "gptq"}}, "x").empty());
  EXPECT_TRUE(AdviceFor(*advice, {{"method", "rtn"}}, "x").empty());
  const auto fault = [](const char* text) { return std::string(ParseAdvice(text).status().message()); };
  EXPECT_THAT(fault("{}"), HasSubstr("no list"));
  EXPECT_THAT(fault(R"([{"id": "a", "text": "t", "when": []}])"), HasSubstr("advice[0]"));
  EXPECT_THAT(fault(R"([{"id": "a", "text": "t", "sources": ["s"], "when": [{"fact": "colour", "is": 1}]}])"),
              HasSubstr("colour"));
  EXPECT_THAT(fault(R"([{"id": "a", "text": "t", "sources": ["s"], "wen": 1}])"), HasSubstr("wen"));
}

TEST_F(InsightTest, PlansGiveAdvice) {
  SetStage("rtn { bits: 3 group_size: 32 }");
  EXPECT_THAT(MessagesOf(Plan(), "ADVICE"), AllOf(::testing::Contains(HasSubstr("four-bits-first")),
                                                  ::testing::Contains(HasSubstr("arXiv 2210.17323")),
                                                  Not(::testing::Contains(HasSubstr("fp8-when-int8-fails")))));
  SetStage("rtn { bits: 8 group_size: -1 } activations {}");
  EXPECT_THAT(MessagesOf(Plan(), "ADVICE"), ::testing::Contains(HasSubstr("fp8-when-int8-fails")));
}

TEST_F(InsightTest, PlansGiveAdviceOnPruning) {
  const auto advice = [&](const char* stages) {
    *recipe_.mutable_stages() = ParseRecipe(stages).stages();
    return MessagesOf(Plan(), "ADVICE");
  };
  const auto recovery = ::testing::Contains(HasSubstr("pruning-needs-recovery")),
             pattern = ::testing::Contains(HasSubstr("patterns-cost-more"));
  EXPECT_THAT(advice("stages { prune { wanda {} } }"), AllOf(recovery, Not(pattern)));
  EXPECT_THAT(advice("stages { prune { sparsity: 0.2 wanda {} } }"), AllOf(Not(recovery), Not(pattern)));
  EXPECT_THAT(advice("stages { prune { pattern: '2:4' wanda {} } } stages { quantize { gptq { group_size: 32 } } }"),
              AllOf(recovery, pattern));
}

TEST_F(InsightTest, StagesThatHardlyMeanWhatTheySayAreTold) {
  const auto codes = [&] {
    std::set<std::string> found;
    const v1::Plan plan = Plan();
    for (const v1::Warning& warning : plan.warnings()) found.insert(warning.code());
    return found;
  };
  SetStage("gptq { bits: 4 group_size: 32 }");
  EXPECT_THAT(codes(),
              AllOf(Not(::testing::Contains("ALL_LAYERS_SKIPPED")), Not(::testing::Contains("FEW_CALIBRATION_TOKENS")),
                    Not(::testing::Contains("SINGLE_CALIBRATION_SAMPLE"))));
  recipe_.mutable_calibration()->set_samples(1);
  recipe_.mutable_calibration()->set_tokens(8);
  EXPECT_THAT(MessagesOf(Plan(), "FEW_CALIBRATION_TOKENS"),
              ElementsAre(AllOf(HasSubstr("gptq solves for the "), HasSubstr("mlp.down_proj with 8 tokens"))));
  EXPECT_THAT(MessagesOf(Plan(), "SINGLE_CALIBRATION_SAMPLE"), ElementsAre(HasSubstr("one sequence is one place")));
  // Whose scales need no more than largest magnitudes.
  SetStage("smoothquant {}");
  EXPECT_THAT(MessagesOf(Plan(), "FEW_CALIBRATION_TOKENS"), ElementsAre());
  EXPECT_THAT(MessagesOf(Plan(), "SINGLE_CALIBRATION_SAMPLE"), ElementsAre(HasSubstr("one sequence")));
  SetStage("rtn { bits: 4 }");
  EXPECT_THAT(MessagesOf(Plan(), "SINGLE_CALIBRATION_SAMPLE"), ElementsAre());
  SetStage("rtn { bits: 4 } skip: 're:.*'");
  EXPECT_THAT(MessagesOf(Plan(), "ALL_LAYERS_SKIPPED"),
              ElementsAre(AllOf(HasSubstr("leaves none of the model's "), HasSubstr("the stage changes nothing"))));
  SetStage("rtn { bits: 4 } skip: 're:.*' head { bits: 8 }");
  EXPECT_THAT(MessagesOf(Plan(), "ALL_LAYERS_SKIPPED"), ElementsAre(HasSubstr("changes the head alone")));
}

TEST_F(InsightTest, SpeedupsOutOfReachAreTold) {
  recipe_.mutable_evaluate()->mutable_performance();
  recipe_.add_gates("prefill_speedup >= 1.2");
  recipe_.add_gates("decode_speedup >= 30");
  const std::vector<std::string> messages = MessagesOf(Plan(), "SPEEDUP_OUT_OF_REACH");
  ASSERT_EQ(messages.size(), 2);
  EXPECT_THAT(messages[0], HasSubstr("multiplied as integers"));
  EXPECT_THAT(messages[1], HasSubstr("at most"));
  EXPECT_THAT(MessagesOf(Plan(), "ADVICE"), ::testing::Contains(HasSubstr("n-m-sparsity")));
  SetStage("rtn { bits: 8 group_size: -1 } activations {}");
  recipe_.mutable_gates()->RemoveLast();
  EXPECT_TRUE(MessagesOf(Plan(), "SPEEDUP_OUT_OF_REACH").empty());
  EXPECT_THAT(Plan().artifacts(0).detail(),
              AllOf(HasSubstr("100 % of the products are of integers"), HasSubstr("more than the weights from")));
}

TEST_F(InsightTest, PlanAndReportAgreeOnWhenTheCacheOutweighsTheWeights) {
  for (const char* stage : {"gptq { bits: 4 group_size: 32 }", "rtn { bits: 8 group_size: -1 } activations {}"}) {
    SetStage(stage);
    const std::string planned = Plan().artifacts(0).detail();
    EXPECT_THAT(planned, HasSubstr("cache in " + KvCacheText(Run(stage).kv_cache()))) << stage;
  }
}

// What the engine computes in floats is promised no speed.
TEST_F(InsightTest, OnlyIntegersArePromisedFasterPrefill) {
  recipe_.mutable_evaluate()->mutable_performance();
  recipe_.add_gates("prefill_speedup >= 1.2");
  for (const char* stage : {"rtn { bits: 8 group_size: 32 }", "rtn { bits: 8 } activations { format: 'e4m3' }",
                            "fp8 {}", "rptq { group_size: 32 clusters: 4 }", "olive { bits: 8 }"}) {
    SetStage(stage);
    EXPECT_EQ(MessagesOf(Plan(), "SPEEDUP_OUT_OF_REACH").size(), 1) << stage;
  }
  for (const char* stage :
       {"smoothquant {}", "rtn { bits: 8 group_size: 32 } activations {}",
        "rtn { bits: 8 group_size: -1 symmetric: false } activations {}",
        "rtn { bits: 8 group_size: -1 } activations { scale: 'tensor' }",
        "rtn { bits: 4 group_size: -1 } activations {}", "llm_int8 {}", "zeroquant { group_size: 32 }", "olive {}",
        "outlier_suppression_plus {}", "rptq { group_size: 32 clusters: 1 }"}) {
    SetStage(stage);
    EXPECT_TRUE(MessagesOf(Plan(), "SPEEDUP_OUT_OF_REACH").empty()) << stage;
  }
}

TEST_F(InsightTest, LossIsSplitWhereMoreThanOnePartIsRounded) {
  EXPECT_TRUE(Run("weights").loss_split().empty());
  SetStage("rtn { bits: 4 group_size: -1 } activations { bits: 4 }");
  recipe_.mutable_kv()->set_bits(2);
  const v1::Report report = Run("all");
  ASSERT_EQ(report.loss_split_size(), 4);
  std::vector<std::string> parts;
  for (const v1::LossShare& share : report.loss_split()) {
    parts.push_back(share.part());
    EXPECT_GT(share.perplexity(), 0);
    EXPECT_NE(share.perplexity(), report.perplexity(0).value()) << share.part();
    EXPECT_NEAR(share.ratio(), share.perplexity() / report.perplexity(0).value(), 1e-9);
  }
  EXPECT_THAT(parts, ElementsAre("all", "weights", "activations", "kv"));
  EXPECT_EQ(report.loss_split(0).perplexity(), report.perplexity(1).value());
  recipe_.mutable_evaluate()->set_loss_split(false);
  EXPECT_TRUE(Run("off").loss_split().empty());
}

// What a method folded is in the model whose inputs alone are rounded, and without the rounding that model is dense.
TEST_F(InsightTest, InputsAloneAreRoundedAsTheMethodScaledThem) {
  SetStage("smoothquant { fold: \"all\" }");
  Run("w");
  const Model dense = *LoadModel(folder_ / "model");
  const Model compressed = *LoadModel(folder_ / "w" / "artifacts" / "tersor");
  const absl::StatusOr<Model> model = OnlyPart(dense, compressed, kActivationsPart);
  ASSERT_TRUE(model.ok()) << model.status();
  const std::string norm = "model.layers.0.input_layernorm.weight", q = "model.layers.0.self_attn.q_proj.weight";
  EXPECT_EQ((*model->Find(norm))->Decode().size(), (*compressed.Find(norm))->Decode().size());
  const std::vector<float> before = (*dense.Find(q))->Decode(), after = (*model->Find(q))->Decode();
  const std::vector<float> norm_before = (*dense.Find(norm))->Decode(), norm_after = (*model->Find(norm))->Decode();
  ASSERT_NE((*model->Find(q))->input_format(), nullptr);
  for (size_t i = 0; i < norm_before.size(); ++i) {
    EXPECT_NEAR(norm_after[i], (*compressed.Find(norm))->Decode()[i], 1e-5 * std::abs(norm_after[i]));
    EXPECT_NEAR(after[i] * norm_after[i], before[i] * norm_before[i], 1e-5);
  }
  const absl::StatusOr<Model> weights = OnlyPart(dense, compressed, kWeightsPart);
  EXPECT_EQ((*weights->Find(q))->input_format(), nullptr);
  EXPECT_EQ((*weights->Find(q))->Decode(), (*compressed.Find(q))->Decode());
}

TEST_F(InsightTest, StagesSayWhatWasPlanned) {
  const v1::Plan plan = Plan();
  EXPECT_GT(plan.stages(0).scratch_bytes(), 0);
  const v1::Report report = Run("w");
  for (const v1::StageReport& stage : report.stages()) {
    EXPECT_GT(stage.planned_seconds(), 0) << stage.name();
    EXPECT_GT(stage.planned_peak_bytes(), 0) << stage.name();
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed
    EXPECT_LE(stage.peak_rss_bytes(), stage.planned_peak_bytes()) << stage.name();
#endif
  }
}

TEST_F(InsightTest, StatisticsAreExported) {
  recipe_.add_export_("statistics");
  SetStage("rtn { bits: 4 group_size: 32 }");
  const v1::Report report = Run("w");
  const absl::StatusOr<Safetensors> file = ReadSafetensors(folder_ / "w" / "artifacts" / "statistics.safetensors");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tensors.size(), 2 * 7 * 7);
  EXPECT_EQ(file->metadata.at("tokens"), "256");
  const auto values = [&](const char* suffix) {
    return file->Find(absl::StrCat("model.layers.1.mlp.down_proj.", suffix))->as<float>();
  };
  const auto absmax = values("input_absmax"), low = values("input_min"), high = values("input_max");
  const auto norm = values("input_norm"), mean = values("input_mean_magnitude");
  const auto p50 = values("input_magnitude_p50"), p99 = values("input_magnitude_p99");
  for (size_t i = 0; i < absmax.size(); ++i) {
    EXPECT_EQ(absmax[i], std::max(std::abs(low[i]), std::abs(high[i])));
    EXPECT_LE(mean[i], absmax[i]);
    EXPECT_LT(p50[i], p99[i]);
    EXPECT_LE(p99[i], absmax[i]);
    EXPECT_LE(norm[i], absmax[i] * 16.001f);
  }
  ASSERT_EQ(report.artifacts(report.artifacts_size() - 1).name(), "statistics");
  EXPECT_THAT(report.artifacts(report.artifacts_size() - 1).verification(), HasSubstr("256 tokens"));
  EXPECT_GE(Plan().artifacts(1).bytes(), report.artifacts(1).bytes());
  recipe_.clear_calibration();
  const absl::StatusOr<PlanResult> without = MakePlan(recipe_, context_);
  ASSERT_TRUE(without.ok());
  EXPECT_FALSE(without->violations.empty());
}

}  // namespace
}  // namespace tersor
