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

}  // namespace
}  // namespace tersor
