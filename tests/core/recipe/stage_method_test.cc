#include "core/recipe/stage_method.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(StageMethodTest, NamesTheChosenMethod) {
  v1::QuantizeStage stage;
  EXPECT_EQ(StageMethodName(stage), "");
  EXPECT_EQ(MutableMethodOptions(stage), nullptr);
  stage.mutable_gptq()->set_bits(3);
  EXPECT_EQ(StageMethodName(stage), "gptq");
  stage.mutable_rtn();
  EXPECT_EQ(StageMethodName(stage), "rtn");
  EXPECT_EQ(MutableMethodOptions(stage), stage.mutable_rtn());
}

TEST(StageMethodTest, StagesAreNamedByFamilyAndMethod) {
  v1::Stage stage;
  EXPECT_EQ(StageName(stage), "");
  EXPECT_EQ(FamilyMessage(stage), nullptr);
  stage.mutable_prune();
  EXPECT_EQ(StageName(stage), "prune");
  EXPECT_EQ(StageMethodName(stage), "");
  stage.mutable_prune()->mutable_sparsegpt();
  EXPECT_EQ(StageName(stage), "prune:sparsegpt");
  EXPECT_EQ(StageFamily(stage), "prune");
  stage.mutable_quantize()->mutable_gptq();
  EXPECT_EQ(StageName(stage), "quantize:gptq");
  EXPECT_EQ(MethodOptions(*FamilyMessage(stage)), &stage.quantize().gptq());
}

}  // namespace
}  // namespace tersor
