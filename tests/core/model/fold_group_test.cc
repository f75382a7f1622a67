#include "core/model/fold_group.h"

#include <cmath>
#include <random>

#include "core/model/hidden_states.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;

class FoldGroupTest : public ::testing::Test {
 protected:
  FoldGroupTest() { model_ = *LoadModel(*testing::WriteTinyModel(folder_.path() / "model", {.layers = 2})); }

  testing::ScratchFolder folder_;
  Model model_;
};

TEST_F(FoldGroupTest, SaysWhatMakesTheInputsOfEachSegment) {
  const std::vector<FoldGroup> groups = FoldGroupsOf(model_, 1);
  ASSERT_EQ(groups.size(), 4);
  EXPECT_THAT(groups[0].readers, ElementsAre("model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.k_proj",
                                             "model.layers.1.self_attn.v_proj"));
  EXPECT_EQ(groups[0].maker, "model.layers.1.input_layernorm.weight");
  EXPECT_TRUE(groups[0].is_norm);
  EXPECT_EQ(groups[1].maker, "model.layers.1.self_attn.v_proj.weight");
  EXPECT_FALSE(groups[1].is_norm);
  // Four heads of 16 on two key-value heads: inputs 16 .. 31 of o are values of the first one's head too.
  EXPECT_EQ(groups[1].outputs, 32);
  EXPECT_EQ(groups[1].output_of[5], 5);
  EXPECT_EQ(groups[1].output_of[16 + 5], 5);
  EXPECT_EQ(groups[1].output_of[32 + 5], 16 + 5);
  EXPECT_EQ(groups[1].output_of[48 + 5], 16 + 5);
  EXPECT_EQ(groups[3].maker, "model.layers.1.mlp.up_proj.weight");
  EXPECT_TRUE(groups[3].maker_bias.empty());
}

TEST_F(FoldGroupTest, FoldingChangesNothingThatTheModelComputes) {
  std::mt19937 random(4);
  std::uniform_real_distribution<float> exponent(-2, 2);
  Model folded = model_;
  for (int block = 0; block < 2; ++block) {
    for (const FoldGroup& group : FoldGroupsOf(folded, block)) {
      std::vector<float> scales(group.outputs);
      for (float& scale : scales) scale = std::exp2(exponent(random));
      ASSERT_TRUE(FoldScales(group, scales, folded).ok());
    }
  }
  std::vector<int32_t> ids(50);
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % testing::kTinyVocabulary);
  const std::vector<float> expected = *HiddenStates(model_, ids, {0, 50}, {}, nullptr, nullptr);
  const std::vector<float> actual = *HiddenStates(folded, ids, {0, 50}, {}, nullptr, nullptr);
  double difference = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(expected[i] - actual[i], 2);
    norm += std::pow(expected[i], 2);
  }
  EXPECT_LT(difference, 1e-10 * norm);
  EXPECT_NE(folded.parameters.at("model.layers.0.mlp.up_proj.weight")->Decode(),
            model_.parameters.at("model.layers.0.mlp.up_proj.weight")->Decode());
}

TEST_F(FoldGroupTest, RefusesScalesThatCannotBeUndone) {
  const FoldGroup group = FoldGroupsOf(model_, 0)[0];
  for (const float bad : {0.0f, -1.0f, std::nanf(""), INFINITY}) {
    std::vector<float> scales(group.outputs, 1.0f);
    scales[7] = bad;
    Model model = model_;
    EXPECT_EQ(FoldScales(group, scales, model).code(), absl::StatusCode::kInvalidArgument);
  }
  Model model = model_;
  EXPECT_FALSE(FoldScales(group, {1, 2}, model).ok());
}

}  // namespace
}  // namespace tersor
