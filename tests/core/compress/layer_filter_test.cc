#include "core/compress/layer_filter.h"

#include "core/encoding/dense_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Model TwelveBlocks() {
  Model model;
  for (int b = 0; b < 12; ++b) {
    const std::string prefix = absl::StrCat("model.layers.", b, ".");
    model.parameters[prefix + "mlp.down_proj.weight"] = *DenseTensor::FromFloats({2, 3}, std::vector<float>(6));
    model.parameters[prefix + "mlp.up_proj.weight"] = *DenseTensor::FromFloats({3, 2}, std::vector<float>(6));
    model.parameters[prefix + "mlp.up_proj.bias"] = *DenseTensor::FromFloats({3}, std::vector<float>(3));
    model.parameters[prefix + "input_layernorm.weight"] = *DenseTensor::FromFloats({2}, std::vector<float>(2));
  }
  model.parameters["model.embed_tokens.weight"] = *DenseTensor::FromFloats({4, 2}, std::vector<float>(8));
  return model;
}

std::vector<LinearLayer> Filter(const std::vector<std::string>& skip, std::vector<FieldViolation>& violations) {
  google::protobuf::RepeatedPtrField<std::string> entries(skip.begin(), skip.end());
  return WithoutSkipped(LinearLayersOf(TwelveBlocks()), entries, "skip", violations);
}

TEST(LayerFilterTest, ListsMatricesOfBlocksInOrder) {
  const std::vector<LinearLayer> layers = LinearLayersOf(TwelveBlocks());
  ASSERT_EQ(layers.size(), 24);
  EXPECT_EQ(layers[0].name, "model.layers.0.mlp.down_proj");
  EXPECT_EQ(layers[0].outputs, 2);
  EXPECT_EQ(layers[0].inputs, 3);
  EXPECT_EQ(layers[5].name, "model.layers.2.mlp.up_proj");
  EXPECT_EQ(layers[23].name, "model.layers.11.mlp.up_proj");
}

TEST(LayerFilterTest, SkipsByNameLastPartAndExpression) {
  std::vector<FieldViolation> violations;
  EXPECT_EQ(Filter({"model.layers.1.mlp.up_proj"}, violations).size(), 23);
  EXPECT_EQ(Filter({"up_proj"}, violations).size(), 12);
  EXPECT_EQ(Filter({"re:.*layers\\.1\\..*"}, violations).size(), 22);
  EXPECT_EQ(Filter({"re:(up|down)_proj"}, violations).size(), 0);
  EXPECT_EQ(Filter({"lm_head", "re:.*lm_head"}, violations).size(), 24);
  EXPECT_TRUE(violations.empty());
}

TEST(LayerFilterTest, FaultsAreNamed) {
  std::vector<FieldViolation> violations;
  Filter({"up_proj", "re:(", "upproj"}, violations);
  ASSERT_EQ(violations.size(), 2);
  EXPECT_EQ(violations[0].field, "skip[1]");
  EXPECT_THAT(violations[0].description, HasSubstr("not a regular expression"));
  EXPECT_EQ(violations[1].field, "skip[2]");
  EXPECT_THAT(violations[1].description, HasSubstr("names no layer; layers have names such as model.layers.0."));
}

}  // namespace
}  // namespace tersor
