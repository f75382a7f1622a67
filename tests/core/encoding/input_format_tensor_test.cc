#include "core/encoding/input_format_tensor.h"

#include "core/encoding/dense_tensor.h"
#include "core/encoding/encoding_registry.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/int_token_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using ::testing::HasSubstr;

EncodedTensorPtr Weight() {
  const std::vector<uint8_t> codes = {0, 1, 255, 128};
  const std::vector<uint16_t> scales = {0x3c00, 0x3800};
  return *GroupIntTensor::Create({.rows = 2, .columns = 2, .bits = 8}, codes, scales, {});
}

EncodedTensorPtr WithFormat() { return *InputFormatTensor::Create(Weight(), *IntTokenFormat::Create(2, {.bits = 7})); }

TEST(InputFormatTensorTest, DecodesToItsWeightAndReadsBack) {
  const EncodedTensorPtr tensor = WithFormat();
  EXPECT_EQ(tensor->Decode(), Weight()->Decode());
  EXPECT_EQ(tensor->byte_size(), Weight()->byte_size());
  EXPECT_EQ(tensor->weight().encoding(), "group-int");
  const auto again = DecodeFields(tensor->encoding(), tensor->shape(), tensor->Fields(), tensor->Parameters());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Decode(), tensor->Decode());
  ASSERT_NE((*again)->input_format(), nullptr);
  EXPECT_EQ((*again)->input_format()->bits(), 7);
}

TEST(InputFormatTensorTest, PlainWeightsHaveNone) {
  EXPECT_EQ(Weight()->input_format(), nullptr);
  EXPECT_EQ(Weight()->weight().encoding(), "group-int");
}

TEST(InputFormatTensorTest, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(InputFormatTensor::Create(Weight(), *IntTokenFormat::Create(3, {})).ok());
  EXPECT_FALSE(InputFormatTensor::Create(WithFormat(), *IntTokenFormat::Create(2, {})).ok());
  EXPECT_FALSE(InputFormatTensor::Create(*DenseTensor::FromFloats({2}, {1, 2}), *IntTokenFormat::Create(2, {})).ok());
}

TEST(InputFormatTensorTest, RefusesForgedManifests) {
  const EncodedTensorPtr tensor = WithFormat();
  const auto rebuild = [&](std::vector<EncodedField> fields, const nlohmann::json& parameters) {
    return std::string(DecodeFields("quantized-input", tensor->shape(), fields, parameters).status().message());
  };
  nlohmann::json nested = tensor->Parameters();
  nested["weight"]["encoding"] = "quantized-input";
  EXPECT_THAT(rebuild(tensor->Fields(), nested), HasSubstr("within"));
  nlohmann::json missing = tensor->Parameters();
  missing.erase("input");
  EXPECT_THAT(rebuild(tensor->Fields(), missing), HasSubstr("\"input\""));
  std::vector<EncodedField> strange = tensor->Fields();
  strange.push_back({"other.codes", strange[0].tensor});
  EXPECT_THAT(rebuild(strange, tensor->Parameters()), HasSubstr("other.codes"));
  std::vector<EncodedField> more = tensor->Fields();
  more.push_back({"input.scales", more[0].tensor});
  EXPECT_THAT(rebuild(more, tensor->Parameters()), HasSubstr("\"scales\" is unknown"));
}

}  // namespace
}  // namespace tersor
