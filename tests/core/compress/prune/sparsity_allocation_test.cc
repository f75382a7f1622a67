#include "core/compress/prune/sparsity_allocation.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "core/compress/compress_model.h"
#include "core/encoding/sparse_mask.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/core/compress/collecting_sink.h"
#include "tests/core/compress/memory_checkpoint.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

TEST(SparsityAllocationTest, OwlKeepsMoreWhereMoreIsOutlying) {
  PruneOptions options;
  options.sparsity = 0.6;
  options.allocation = Allocation::kOwl;
  options.owl_spread = 0.1;
  const std::vector<Json> analyses = {{{"layers", {"a", "b"}}, {"weights", 100.0}, {"outliers", 0.01}},
                                      {{"layers", {"c"}}, {"weights", 100.0}, {"outliers", 0.03}},
                                      {{"layers", {"d"}}, {"weights", 100.0}, {"outliers", 0.02}}};
  const absl::StatusOr<Json> decision = AllocateSparsity(analyses, options);
  ASSERT_TRUE(decision.ok()) << decision.status();
  // Shares 0, 0.2 and 0.1, whose mean is 0.1.
  EXPECT_NEAR((*decision)["layers"]["a"].get<double>(), 0.7, 1e-12);
  EXPECT_NEAR((*decision)["layers"]["b"].get<double>(), 0.7, 1e-12);
  EXPECT_NEAR((*decision)["layers"]["c"].get<double>(), 0.5, 1e-12);
  EXPECT_NEAR((*decision)["layers"]["d"].get<double>(), 0.6, 1e-12);
}

TEST(SparsityAllocationTest, OwlKeepsTheMeanWhereTheSpreadIsTooWide) {
  PruneOptions options;
  options.allocation = Allocation::kOwl;
  options.owl_spread = 0.5;
  const std::vector<Json> analyses = {{{"layers", {"a"}}, {"weights", 300.0}, {"outliers", 0.01}},
                                      {{"layers", {"b"}}, {"weights", 100.0}, {"outliers", 0.03}},
                                      {{"layers", {"c"}}, {"weights", 100.0}, {"outliers", 0.02}}};
  for (const double sparsity : {0.0, 0.1, 0.5, 0.9, 0.99, 0.995}) {
    options.sparsity = sparsity;
    const absl::StatusOr<Json> decision = AllocateSparsity(analyses, options);
    ASSERT_TRUE(decision.ok()) << decision.status();
    const auto of = [&](const char* layer) { return (*decision)["layers"][layer].get<double>(); };
    EXPECT_NEAR((300 * of("a") + 100 * of("b") + 100 * of("c")) / 500, sparsity, 1e-12);
    for (const char* layer : {"a", "b", "c"}) {
      EXPECT_GE(of(layer), 0);
      EXPECT_LE(of(layer), std::max(sparsity, kMostSparsity));
    }
    if (sparsity == 0.9) {
      EXPECT_NEAR(of("a"), 0.99, 1e-12);
      EXPECT_GT(of("a"), of("c"));
      EXPECT_GT(of("c"), of("b"));
    }
  }
}

TEST(SparsityAllocationTest, EqualBlocksShareEqually) {
  PruneOptions options;
  options.allocation = Allocation::kOwl;
  const std::vector<Json> analyses = {{{"layers", {"a"}}, {"weights", 10.0}, {"outliers", 0.0}},
                                      {{"layers", {"b"}}, {"weights", 10.0}, {"outliers", 0.0}}};
  EXPECT_EQ((*AllocateSparsity(analyses, options))["layers"]["b"].get<double>(), 0.5);
}

TEST(SparsityAllocationTest, OneThresholdLeavesOutTheShareOfAll) {
  PruneOptions options;
  options.sparsity = 0.5;
  options.allocation = Allocation::kGlobal;
  // 30 of 40 of the first score below all but 10 of the second.
  const std::vector<Json> analyses = {{{"scores", {{"a", {{100, 30}, {120, 10}}}}}},
                                      {{"scores", {{"b", {{110, 10}, {130, 30}}}}}}};
  const absl::StatusOr<Json> decision = AllocateSparsity(analyses, options);
  ASSERT_TRUE(decision.ok()) << decision.status();
  EXPECT_NEAR((*decision)["layers"]["a"].get<double>(), 0.75, 1e-12);
  EXPECT_NEAR((*decision)["layers"]["b"].get<double>(), 0.25, 1e-12);
}

TEST(SparsityAllocationTest, StrangeAnalysesAreRefused) {
  PruneOptions options;
  for (const Allocation allocation : {Allocation::kOwl, Allocation::kGlobal}) {
    options.allocation = allocation;
    EXPECT_EQ(AllocateSparsity({{{"something", 1}}}, options).status().code(), absl::StatusCode::kInternal);
  }
}

class SharedOutTest : public ::testing::Test {
 protected:
  SharedOutTest() {
    model_ = *LoadModel(*testing::WriteTinyModel(folder_.path() / "model", {.layers = 4}));
    std::mt19937 random(1);
    calibration_.offsets = {0};
    for (const int64_t length : {40, 33}) {
      for (int64_t i = 0; i < length; ++i) calibration_.ids.push_back(static_cast<int32_t>(random() % 272));
      calibration_.offsets.push_back(static_cast<int64_t>(calibration_.ids.size()));
    }
  }
  absl::StatusOr<CompressionResult> Compress(Model& model, const std::string& stage, int threads = 1,
                                             BlockCheckpoint* checkpoint = nullptr) {
    v1::Recipe recipe;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stage, recipe.add_stages()->mutable_prune())) << stage;
    return CompressModel(model, recipe, calibration_, {.threads = threads}, checkpoint, sink_, nullptr);
  }
  static double SparsityOf(const Model& model) {
    int64_t kept = 0, all = 0;
    for (const auto& [name, tensor] : model.parameters) {
      if (tensor->mask() == nullptr) continue;
      kept += tensor->mask()->count();
      all += tensor->elements();
    }
    return 1 - static_cast<double>(kept) / static_cast<double>(all);
  }
  std::string Faults(const std::string& stage) {
    v1::Recipe recipe;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stage, recipe.add_stages()->mutable_prune())) << stage;
    std::vector<FieldViolation> violations;
    PlanCompression(model_, recipe, {73, 40}, {}, violations);
    std::string all;
    for (const FieldViolation& violation : violations) {
      absl::StrAppend(&all, violation.field, ": ", violation.description, "\n");
    }
    return all;
  }

  testing::ScratchFolder folder_;
  Model model_;
  CalibrationTokens calibration_;
  testing::CollectingSink sink_;
};

TEST_F(SharedOutTest, EveryMethodSharesOutWhatWasAskedFor) {
  for (const char* method :
       {"magnitude {}", "wanda {}", "sparsegpt {}", "alps { steps: 12 }", "sparsegpt { bits: 4 }"}) {
    for (const char* allocation : {"owl", "global"}) {
      const std::string text = absl::StrCat("sparsity: 0.6 allocation: '", allocation, "' ", method);
      Model model = model_;
      const absl::StatusOr<CompressionResult> result = Compress(model, text);
      ASSERT_TRUE(result.ok()) << text << ": " << result.status();
      EXPECT_NEAR(SparsityOf(model), 0.6, 0.02) << text;
      double least = 1, most = 0;
      for (const v1::LayerResult& layer : result->layers) {
        least = std::min(least, layer.sparsity());
        most = std::max(most, layer.sparsity());
      }
      EXPECT_GT(most, least + 0.01) << text;
      std::vector<FieldViolation> violations;
      v1::Recipe recipe;
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, recipe.add_stages()->mutable_prune()));
      const CompressionPlan plan = PlanCompression(model_, recipe, {73, 40}, {}, violations);
      EXPECT_EQ(plan.needs_calibration, text.find("global' magnitude") == std::string::npos) << text;
      // A row of 64 inputs rounds by up to one weight.
      EXPECT_NEAR(static_cast<double>(plan.parameter_bytes), static_cast<double>(model.ByteSize()),
                  0.05 * static_cast<double>(model.ByteSize()));
    }
  }
}

TEST_F(SharedOutTest, LayersMayHaveTheirOwn) {
  Model model = model_;
  const absl::StatusOr<CompressionResult> result =
      Compress(model,
               "sparsity: 0.5 wanda {} layers { layer: 'down_proj' sparsity: 0.25 } "
               "layers { layer: 're:.*layers.0.*' sparsity: 0.75 }");
  ASSERT_TRUE(result.ok()) << result.status();
  for (const v1::LayerResult& layer : result->layers) {
    const bool down = layer.name().ends_with("down_proj"), first = layer.name().find("layers.0.") != std::string::npos;
    EXPECT_NEAR(layer.sparsity(), down ? 0.25 : first ? 0.75 : 0.5, 1e-9) << layer.name();
  }
}

// A walk that was broken off goes on with what it had decided, to the same bytes.
TEST_F(SharedOutTest, DecisionsOutliveABreak) {
  for (const char* text : {"allocation: 'owl' wanda {}", "allocation: 'global' sparsegpt {}"}) {
    Model whole = model_, broken = model_, resumed = model_;
    const absl::StatusOr<CompressionResult> expected = Compress(whole, text);
    ASSERT_TRUE(expected.ok()) << expected.status();
    testing::MemoryCheckpoint checkpoint;
    checkpoint.after_save = [](int block) { return block == 1 ? absl::AbortedError("killed") : absl::OkStatus(); };
    EXPECT_FALSE(Compress(broken, text, 1, &checkpoint).ok());
    ASSERT_EQ(checkpoint.saved_decisions.size(), 1);
    checkpoint.after_save = nullptr;
    const absl::StatusOr<CompressionResult> result = Compress(resumed, text, 3, &checkpoint);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(checkpoint.saved_decisions.size(), 1);
    for (const auto& [name, tensor] : whole.parameters) {
      EXPECT_EQ(tensor->Decode(), resumed.parameters.at(name)->Decode()) << name;
    }
    testing::MemoryCheckpoint damaged;
    damaged.saved_decisions = {"[1, 2"};
    EXPECT_EQ(Compress(broken, text, 1, &damaged).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(SharedOutTest, BadAnswersAreRefused) {
  EXPECT_THAT(Faults("allocation: 'even' wanda {}"), HasSubstr("stages[0].prune.allocation: unknown value \"even\""));
  EXPECT_THAT(Faults("pattern: '2:4' allocation: 'owl' wanda {}"), HasSubstr("every layer of a pattern keeps as many"));
  EXPECT_THAT(Faults("owl_spread: 0.1 wanda {}"), HasSubstr("prune.owl_spread: means something with allocation"));
  EXPECT_THAT(Faults("allocation: 'owl' owl_spread: 0.9 owl_outlier: 0 wanda {}"),
              ::testing::AllOf(HasSubstr("owl_spread: must be 0 to 0.5"), HasSubstr("owl_outlier: must be 1 to")));
  EXPECT_THAT(Faults("wanda {} layers { layer: 'nothing' sparsity: 0.5 }"),
              HasSubstr("stages[0].prune.layers[0].layer: \"nothing\" names no layer"));
  EXPECT_THAT(Faults("wanda {} layers { layer: 're:(' sparsity: 0.5 }"), HasSubstr("not a regular expression"));
  EXPECT_THAT(Faults("wanda {} layers { layer: 'q_proj' sparsity: 1 }"),
              HasSubstr("layers[0].sparsity: must be above 0"));
  EXPECT_THAT(Faults("pattern: '2:4' wanda {} layers { layer: 'q_proj' sparsity: 0.5 }"),
              HasSubstr("leave `pattern` or `layers` out"));
}

}  // namespace
}  // namespace tersor
