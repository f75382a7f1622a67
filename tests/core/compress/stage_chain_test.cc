// Stages that change the same layers, one after the other.
#include <cmath>
#include <random>

#include "core/compress/compress_model.h"
#include "core/encoding/masked_int_tensor.h"
#include "core/encoding/sparse_mask.h"
#include "core/model/hidden_states.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/core/compress/collecting_sink.h"
#include "tests/core/compress/memory_checkpoint.h"
#include "tests/testing/paths.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

using testing::CollectingSink;
using ::testing::HasSubstr;
using testing::MemoryCheckpoint;

v1::Recipe MakeRecipe(const std::string& stages) {
  v1::Recipe recipe;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stages, &recipe)) << stages;
  return recipe;
}

constexpr char kPruned[] = "stages { prune { wanda {} } } stages { quantize { gptq { group_size: 32 } } }";

class StageChainTest : public ::testing::Test {
 protected:
  StageChainTest() {
    model_ = *LoadModel(*testing::WriteTinyModel(folder_.path() / "model", {.layers = 3}));
    calibration_ = Text(testing::kTinyVocabulary);
  }
  static CalibrationTokens Text(int64_t vocabulary) {
    CalibrationTokens calibration;
    std::mt19937 random(1);
    calibration.offsets = {0};
    for (const int64_t length : {40, 7, 33, 60}) {
      for (int64_t i = 0; i < length; ++i) calibration.ids.push_back(static_cast<int32_t>(random() % vocabulary));
      calibration.offsets.push_back(static_cast<int64_t>(calibration.ids.size()));
    }
    return calibration;
  }
  absl::StatusOr<CompressionResult> Compress(Model& model, const std::string& recipe, int threads = 1,
                                             BlockCheckpoint* checkpoint = nullptr) {
    return CompressModel(model, MakeRecipe(recipe), calibration_, {.threads = threads}, checkpoint, sink_, nullptr);
  }
  std::string Faults(const std::string& recipe) {
    std::vector<FieldViolation> violations;
    PlanCompression(model_, MakeRecipe(recipe), {140, 60}, {}, violations);
    std::string all;
    for (const FieldViolation& violation : violations) {
      absl::StrAppend(&all, violation.field, ": ", violation.description, "\n");
    }
    return all;
  }

  testing::ScratchFolder folder_;
  Model model_;
  CalibrationTokens calibration_;
  CollectingSink sink_;
};

TEST_F(StageChainTest, QuantizesWhatPruningLeft) {
  for (const char* quantize : {"gptq { group_size: 32 }", "rtn {}", "gptq { group_size: -1 symmetric: false }",
                               "gptq {} activations {}", "zeroquant {}"}) {
    Model pruned = model_, both = model_;
    ASSERT_TRUE(Compress(pruned, "stages { prune { skip: 'k_proj' wanda {} } }").ok());
    const std::string text =
        absl::StrCat("stages { prune { skip: 'k_proj' wanda {} } } stages { quantize { ", quantize, " } }");
    const absl::StatusOr<CompressionResult> result = Compress(both, text);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->layers.size(), 21);
    ASSERT_EQ(result->stages.size(), 2);
    EXPECT_EQ(result->stages[0].name(), "prune:wanda");
    // The first block's inputs are the same in both; there Wanda leaves the same weights out.
    const std::string first = "model.layers.0.self_attn.q_proj.weight";
    const std::vector<uint8_t> kept = KeptMarks(*pruned.parameters.at(first));
    EXPECT_EQ(KeptMarks(*both.parameters.at(first)), kept);
    const std::vector<float> values = both.parameters.at(first)->Decode();
    for (size_t i = 0; i < kept.size(); ++i) ASSERT_TRUE(kept[i] != 0 || values[i] == 0) << quantize;
    for (const v1::LayerResult& layer : result->layers) {
      const EncodedTensor& tensor = *both.parameters.at(layer.name() + ".weight");
      EXPECT_EQ(layer.true_bits(),
                8.0 * static_cast<double>(tensor.byte_size()) / static_cast<double>(tensor.elements()));
      const bool skipped = layer.name().ends_with("k_proj");
      EXPECT_EQ(tensor.weight().encoding(), skipped ? "group-int" : "masked-int") << layer.name();
      EXPECT_THAT(layer.encoding(), HasSubstr(std::string(tensor.weight().encoding())));
      EXPECT_EQ(layer.stages_size(), skipped ? 0 : 2);
      EXPECT_NEAR(layer.sparsity(), skipped ? 0 : 0.5, 1e-9);
      if (skipped) continue;
      EXPECT_EQ(layer.stages(0).stage(), "prune:wanda");
      EXPECT_GT(layer.relative_error(),
                std::max(layer.stages(0).relative_error(), layer.stages(1).relative_error()) / 3);
    }
  }
}

TEST_F(StageChainTest, PlansBytesOfWhatIsLeft) {
  for (const char* text :
       {kPruned,
        "stages { prune { pattern: '2:4' magnitude {} } } stages { quantize { head { bits: 8 } rtn { bits: 8 } } }",
        "stages { prune { sparsity: 0.7 sparsegpt {} } }", "stages { prune { sparsity: 0.3 sparsegpt { bits: 4 } } }",
        "stages { prune { wanda {} } } stages { quantize { fp8 {} } }",
        "stages { prune { sparsity: 0.3 wanda {} } } stages { prune { pattern: '2:4' magnitude {} } }"}) {
    std::vector<FieldViolation> violations;
    const CompressionPlan plan = PlanCompression(model_, MakeRecipe(text), {140, 60}, {}, violations);
    ASSERT_TRUE(violations.empty()) << violations[0].description;
    Model model = model_;
    ASSERT_TRUE(Compress(model, text).ok()) << text;
    EXPECT_GE(plan.parameter_bytes, model.ByteSize()) << text;
    EXPECT_LE(static_cast<double>(plan.parameter_bytes), 1.05 * static_cast<double>(model.ByteSize())) << text;
    for (const auto& [name, encoding] : plan.encodings) {
      EXPECT_EQ(model.parameters.at(name)->weight().encoding(), encoding.encoding) << name;
    }
  }
}

TEST_F(StageChainTest, SameBytesOnAnyNumberOfThreadsAndAfterABreak) {
  for (const char* recipe :
       {kPruned, "stages { prune { pattern: '2:4' sparsegpt {} } } stages { quantize { rtn {} } }"}) {
    Model whole = model_, resumed = model_, broken = model_;
    const absl::StatusOr<CompressionResult> expected = Compress(whole, recipe);
    ASSERT_TRUE(expected.ok()) << expected.status();
    MemoryCheckpoint checkpoint;
    checkpoint.after_save = [](int block) { return block == 1 ? absl::AbortedError("killed") : absl::OkStatus(); };
    EXPECT_FALSE(Compress(broken, recipe, 1, &checkpoint).ok());
    checkpoint.after_save = nullptr;
    const absl::StatusOr<CompressionResult> result = Compress(resumed, recipe, 3, &checkpoint);
    ASSERT_TRUE(result.ok()) << result.status();
    for (const auto& [name, tensor] : whole.parameters) {
      EXPECT_EQ(tensor->Decode(), resumed.parameters.at(name)->Decode()) << name;
      EXPECT_EQ(tensor->byte_size(), resumed.parameters.at(name)->byte_size()) << name;
    }
    for (size_t i = 0; i < result->layers.size(); ++i) {
      EXPECT_EQ(result->layers[i].SerializeAsString(), expected->layers[i].SerializeAsString());
    }
  }
}

TEST_F(StageChainTest, WhatCannotFollowIsRefusedWithTheReason) {
  const std::string prune = "stages { prune { wanda {} } }";
  EXPECT_THAT(
      Faults("stages { quantize { rtn {} } }" + prune),
      HasSubstr("stages[1].prune.skip: model.layers.0.mlp.down_proj is already changed by stages[0]; skip it in "
                "one of the two, or prune first: its weights are codes then"));
  EXPECT_THAT(Faults(prune + "stages { quantize { awq {} } }"),
              HasSubstr("awq cannot follow: it scales a block's weights before any stage has changed them"));
  EXPECT_THAT(Faults(prune + "stages { quantize { bcq {} } }"),
              HasSubstr("bcq cannot follow: it would make weights that were left out other than zero"));
  EXPECT_THAT(Faults(prune + "stages { quantize { gptq { refine_rounds: 2 } } }"), HasSubstr("`refine_rounds` moves"));
  EXPECT_THAT(Faults("stages { prune { sparsegpt { bits: 4 } } } stages { quantize { rtn {} } }"),
              HasSubstr("is already changed by stages[0]"));
  EXPECT_EQ(
      Faults(
          "stages { prune { skip: 're:.*mlp.*' wanda {} } } stages { quantize { skip: 're:.*self_attn.*' awq {} } }"),
      "");
  EXPECT_EQ(Faults(prune + "stages { prune { pattern: '2:4' sparsegpt {} } } stages { quantize { gptq {} } }"), "");
}

TEST_F(StageChainTest, WhatCannotFollowAPrunedModelIsRefusedWithTheReason) {
  ASSERT_TRUE(Compress(model_, "stages { prune { skip: 're:.*mlp.*' wanda {} } }").ok());
  EXPECT_EQ(Faults("stages { quantize { awq {} } }"),
            "stages[0].quantize.skip: model.layers.0.self_attn.k_proj is already pruned in the model, and awq cannot "
            "follow: it scales a block's weights before any stage has changed them; skip it, or take a method that can "
            "(rtn, gptq)\n");
  EXPECT_EQ(Faults("stages { quantize { gptq {} } }"), "");
  EXPECT_EQ(Faults("stages { quantize { skip: 're:.*self_attn.*' awq {} } }"), "");
}

// What follows pruning keeps zeros, or says that it does not.
TEST_F(StageChainTest, EveryQuantizerFollowsOrRefuses) {
  for (const MethodDescription& method : CompressionMethods()) {
    if (method.family != "quantize") continue;
    const std::string text = absl::StrCat("stages { prune { wanda {} } } stages { quantize { ", method.name, " {} } }");
    Model model = model_;
    const absl::Status status = Compress(model, text).status();
    const std::string faults = Faults(text);
    if (faults.empty()) {
      EXPECT_TRUE(status.ok()) << method.name << ": " << status;
    } else {
      EXPECT_THAT(faults, HasSubstr("cannot follow")) << method.name;
    }
  }
}

class PruneArchitecturesTest : public StageChainTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(PruneArchitecturesTest, EveryMethodTakesIt) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << "no folder of golden data (TERSOR_SHARED)";
  const auto loaded = LoadModel(*shared / "golden" / "tiny" / GetParam());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  calibration_ = Text(loaded->spec.vocabulary);
  for (const char* stages :
       {"prune { magnitude {} }", "prune { wanda {} }", "prune { sparsegpt {} }", "prune { alps { steps: 12 } }",
        "prune { pattern: '2:4' sparsegpt {} }", "prune { sparsegpt { bits: 4 group_size: -1 } }",
        "prune { wanda {} } } stages { quantize { gptq { group_size: -1 } }"}) {
    Model model = *loaded;
    const absl::StatusOr<CompressionResult> result = Compress(model, absl::StrCat("stages { ", stages, " }"));
    ASSERT_TRUE(result.ok()) << stages << ": " << result.status();
    for (const v1::LayerResult& layer : result->layers) EXPECT_NEAR(layer.sparsity(), 0.5, 0.05) << layer.name();
    const auto hidden = HiddenStates(model, calibration_.ids, calibration_.offsets, {}, nullptr, nullptr);
    ASSERT_TRUE(hidden.ok()) << hidden.status();
    for (const float value : *hidden) ASSERT_TRUE(std::isfinite(value)) << stages;
  }
}

INSTANTIATE_TEST_SUITE_P(Tiny, PruneArchitecturesTest,
                         ::testing::Values("gemma2", "gemma3", "gpt2", "gpt_neox", "llama3_rope_scaling", "llama_bias",
                                           "llama_tied", "mistral_sliding", "opt", "phi3", "qwen2", "qwen3"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace tersor
