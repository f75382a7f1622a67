#include "core/encoding/group_int_tensor.h"

#include <cmath>
#include <ostream>
#include <random>

#include "core/encoding/encoding_registry.h"
#include "core/tensor/float16.h"
#include "core/tensor/packed_ints.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using ::testing::HasSubstr;

struct Parts {
  GroupIntLayout layout;
  std::vector<uint8_t> codes;
  std::vector<uint16_t> scales;
  std::vector<uint8_t> zero_points;
};

Parts RandomParts(int64_t rows, int64_t columns, int bits, int64_t group_size, bool symmetric) {
  Parts parts{{rows, columns, bits, group_size}, {}, {}, {}};
  std::mt19937 random(7);
  const int64_t groups = rows * (group_size == -1 ? 1 : columns / group_size);
  for (int64_t i = 0; i < rows * columns; ++i) parts.codes.push_back(random() % (1u << bits));
  for (int64_t i = 0; i < groups; ++i) {
    parts.scales.push_back(FloatToF16((static_cast<int>(random() % 2001) - 1000) * 1e-4f));
    if (!symmetric) parts.zero_points.push_back(random() % (1u << bits));
  }
  return parts;
}

std::shared_ptr<const GroupIntTensor> Make(const Parts& parts) {
  auto tensor = GroupIntTensor::Create(parts.layout, parts.codes, parts.scales, parts.zero_points);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

struct Case {
  int64_t rows, columns, bits, group_size;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.rows << "x" << c.columns << " b" << c.bits << " g" << c.group_size;
}

class GroupIntTensorTest : public ::testing::TestWithParam<Case> {};

TEST_P(GroupIntTensorTest, DecodesByDefinitionAndRoundTripsThroughItsFields) {
  const Case c = GetParam();
  for (const bool symmetric : {true, false}) {
    const Parts parts = RandomParts(c.rows, c.columns, static_cast<int>(c.bits), c.group_size, symmetric);
    const auto tensor = Make(parts);
    const std::vector<float> values = tensor->Decode();
    const int64_t group_size = c.group_size == -1 ? c.columns : c.group_size;
    for (int64_t i = 0; i < c.rows * c.columns; ++i) {
      const int64_t group = i / c.columns * (c.columns / group_size) + i % c.columns / group_size;
      const int zero_point = symmetric ? 1 << (c.bits - 1) : parts.zero_points[group];
      ASSERT_EQ(values[i], static_cast<float>(parts.codes[i] - zero_point) * F16ToFloat(parts.scales[group])) << i;
    }
    auto again = DecodeFields(tensor->encoding(), tensor->shape(), tensor->Fields(), tensor->Parameters());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ((*again)->Decode(), values);
    EXPECT_EQ((*again)->byte_size(), tensor->byte_size());
    std::vector<float> last(c.columns);
    tensor->DecodeRows(c.rows - 1, 1, last.data());
    EXPECT_TRUE(std::equal(last.begin(), last.end(), values.end() - c.columns));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, GroupIntTensorTest,
                         ::testing::Values(Case{3, 64, 4, 32}, Case{5, 66, 4, 11}, Case{2, 576, 8, 64},
                                           Case{4, 30, 8, 5}, Case{3, 96, 3, 32}, Case{2, 35, 5, 7}, Case{1, 8, 2, 8},
                                           Case{7, 1, 6, 1}, Case{3, 40, 7, -1}));

TEST(GroupIntTensorAccessTest, ExportersSeeCodesZeroPointsAndScales) {
  const auto tensor =
      *GroupIntTensor::Create({2, 4, 3, 2}, std::vector<uint8_t>{0, 1, 2, 3, 4, 5, 6, 7},
                              std::vector<uint16_t>{FloatToF16(1), FloatToF16(2), FloatToF16(-0.5f), FloatToF16(4)},
                              std::vector<uint8_t>{0, 7, 3, 4});
  std::vector<uint8_t> codes(4), zero_points(2);
  tensor->CodesOfRow(1, codes.data());
  tensor->ZeroPointsOfRow(1, zero_points.data());
  EXPECT_THAT(codes, ::testing::ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(zero_points, ::testing::ElementsAre(3, 4));
  EXPECT_EQ(tensor->Scale(1, 0), -0.5f);
  EXPECT_EQ(tensor->ScaleBits(1, 1), FloatToF16(4));
  EXPECT_FALSE(tensor->symmetric());
  // 2 rows of: 12 bits of codes, 2 scales, 6 bits of zero points.
  EXPECT_EQ(tensor->byte_size(), 2 * (2 + 4 + 1));
}

TEST(GroupIntTensorErrorTest, RefusesPartsThatDoNotFit) {
  const Parts good = RandomParts(2, 8, 4, 4, true);
  const auto message = [](const Parts& parts) {
    return std::string(
        GroupIntTensor::Create(parts.layout, parts.codes, parts.scales, parts.zero_points).status().message());
  };
  Parts bad = good;
  bad.layout.group_size = 3;
  EXPECT_THAT(message(bad), HasSubstr("group size 3 does not divide 8 columns"));
  bad = good;
  bad.layout.bits = 9;
  EXPECT_THAT(message(bad), HasSubstr("2 to 8"));
  bad = good;
  bad.codes[5] = 16;
  EXPECT_THAT(message(bad), HasSubstr("does not fit into 4 bits"));
  bad = good;
  bad.scales[1] = 0x7c00;
  EXPECT_THAT(message(bad), HasSubstr("scale 1 is not a finite number"));
  bad = good;
  bad.scales.pop_back();
  EXPECT_THAT(message(bad), HasSubstr("3 scales"));
}

TEST(GroupIntTensorErrorTest, RefusesFieldsThatLie) {
  const auto tensor = Make(RandomParts(2, 8, 4, 4, false));
  const std::vector<EncodedField> fields = tensor->Fields();
  const nlohmann::json parameters = tensor->Parameters();
  const auto status = [](const Shape& shape, const std::vector<EncodedField>& parts, const nlohmann::json& json) {
    return GroupIntTensor::FromFields(shape, parts, json).status();
  };
  EXPECT_TRUE(status({2, 8}, fields, parameters).ok());
  EXPECT_THAT(status({3, 8}, fields, parameters).message(), HasSubstr("field \"codes\""));
  EXPECT_THAT(status({2, 8}, {fields[0]}, parameters).message(), HasSubstr("field \"scales\""));
  EXPECT_THAT(status({2, 8}, {fields[0], fields[1], fields[1]}, parameters).message(), HasSubstr("repeated"));
  EXPECT_THAT(status({2, 8}, {fields[0], fields[1], {"extra", fields[2].tensor}}, parameters).message(),
              HasSubstr("\"extra\" is unknown"));
  EXPECT_FALSE(status({2, 8}, {fields[0], fields[1], {"zero_points", fields[0].tensor}}, parameters).ok());
  EXPECT_FALSE(status({16}, fields, parameters).ok());
  EXPECT_FALSE(status({int64_t{1} << 40, int64_t{1} << 40}, fields, parameters).ok());
  EXPECT_FALSE(status({2, 8}, fields, {{"bits", 4}}).ok());
  EXPECT_FALSE(status({2, 8}, fields, {{"bits", "4"}, {"group_size", 4}}).ok());
  EXPECT_FALSE(status({2, 8}, fields, {{"bits", (int64_t{1} << 32) + 4}, {"group_size", 4}}).ok());
  EXPECT_FALSE(status({2, 8}, fields, {{"bits", 4}, {"group_size", 0}}).ok());
  EXPECT_FALSE(status({2, 8}, fields, nlohmann::json::array()).ok());
}

}  // namespace
}  // namespace tersor
