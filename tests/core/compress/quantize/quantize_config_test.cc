#include "core/compress/quantize/quantize_config.h"

#include <limits>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<FieldViolation> GptqFaults(const std::string& text) {
  v1::GptqConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  std::vector<FieldViolation> violations;
  ReadGptqConfig(config, "gptq", violations);
  return violations;
}

TEST(QuantizeConfigTest, EachBadFieldIsNamed) {
  const struct {
    std::string text, field;
  } cases[] = {{"bits: 1", "gptq.bits"},
               {"bits: 9", "gptq.bits"},
               {"group_size: 0", "gptq.group_size"},
               {"group_size: -2", "gptq.group_size"},
               {"damping: -0.1", "gptq.damping"},
               {"damping: 1.5", "gptq.damping"},
               {"damping: nan", "gptq.damping"},
               {"block_size: 0", "gptq.block_size"},
               {"refine_rounds: -1", "gptq.refine_rounds"},
               {"refine_rounds: 1000", "gptq.refine_rounds"},
               {"dense_correction: -1", "gptq.dense_correction"},
               {"dense_correction: nan", "gptq.dense_correction"}};
  for (const auto& c : cases) {
    const std::vector<FieldViolation> faults = GptqFaults(c.text);
    ASSERT_EQ(faults.size(), 1) << c.text;
    EXPECT_EQ(faults[0].field, c.field);
  }
  EXPECT_TRUE(GptqFaults("").empty());
  EXPECT_TRUE(GptqFaults("bits: 3 group_size: -1 symmetric: false damping: 0 refine_rounds: 4").empty());
}

TEST(QuantizeConfigTest, RtnKnowsNoSecondMoment) {
  v1::RtnConfig config;
  config.set_scale_search(v1::SCALE_SEARCH_HESSIAN);
  std::vector<FieldViolation> violations;
  ReadRtnConfig(config, "rtn", violations);
  ASSERT_EQ(violations.size(), 1);
  EXPECT_EQ(violations[0].field, "rtn.scale_search");
}

TEST(QuantizeConfigTest, GroupSizeListsLayersAndProposesSizes) {
  const std::vector<LinearLayer> layers = {
      {"a.q_proj", 576, 576}, {"a.gate_proj", 1536, 576}, {"a.down_proj", 576, 1536}};
  const std::vector<FieldViolation> faults = CheckGroupSize({4, 128, true, v1::SCALE_SEARCH_MINMAX}, layers, "gptq");
  ASSERT_EQ(faults.size(), 1);
  EXPECT_EQ(faults[0].field, "gptq.group_size");
  EXPECT_THAT(faults[0].description, AllOf(HasSubstr("group size 128 does not divide"),
                                           HasSubstr("2 layers: a.q_proj (576 inputs), a.gate_proj"), HasSubstr("96"),
                                           HasSubstr("64"), HasSubstr("-1 (one scale a row)")));
  EXPECT_TRUE(CheckGroupSize({4, 64, true, v1::SCALE_SEARCH_MINMAX}, layers, "gptq").empty());
  EXPECT_TRUE(CheckGroupSize({4, -1, true, v1::SCALE_SEARCH_MINMAX}, layers, "gptq").empty());
}

}  // namespace
}  // namespace tersor
