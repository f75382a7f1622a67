#include "core/exports/pack_quantized.h"

#include <cstring>

#include "core/tensor/float16.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const GroupIntTensor> Weight(int64_t rows, int64_t columns, int bits, int64_t group_size,
                                             bool symmetric) {
  std::vector<uint8_t> codes, zero_points;
  std::vector<uint16_t> scales;
  const int64_t groups = columns / group_size;
  for (int64_t i = 0; i < rows * columns; ++i) codes.push_back(static_cast<uint8_t>(i * 7 % (1 << bits)));
  for (int64_t i = 0; i < rows * groups; ++i) {
    scales.push_back(FloatToF16(0.01f * static_cast<float>(i + 1)));
    if (!symmetric) zero_points.push_back(static_cast<uint8_t>(i * 5 % (1 << bits)));
  }
  return *GroupIntTensor::Create({rows, columns, bits, group_size}, codes, scales, zero_points);
}

Safetensors FileOf(const std::vector<PackedTensor>& parts) {
  Safetensors file;
  for (const PackedTensor& part : parts) file.tensors.emplace(part.name, part.tensor);
  return file;
}

struct Case {
  int64_t rows, columns;
  int bits;
  int64_t group_size;
  bool symmetric;
};

class PackQuantizedTest : public ::testing::TestWithParam<Case> {};

TEST_P(PackQuantizedTest, RoundTrips) {
  const Case& c = GetParam();
  const auto weight = Weight(c.rows, c.columns, c.bits, c.group_size, c.symmetric);
  const auto parts = PackQuantized("m", *weight);
  ASSERT_TRUE(parts.ok()) << parts.status();
  const PackedScheme scheme = {c.bits, c.group_size == c.columns ? 0 : c.group_size, c.symmetric};
  const auto declared = PackedDeclarations("m", weight->shape(), scheme);
  ASSERT_EQ(parts->size(), declared.size());
  for (size_t i = 0; i < declared.size(); ++i) {
    EXPECT_EQ(parts->at(i).name, declared[i].name);
    EXPECT_EQ(parts->at(i).tensor.shape(), declared[i].shape);
    EXPECT_EQ(parts->at(i).tensor.dtype(), declared[i].dtype);
  }
  const auto rebuilt = UnpackQuantized("m", scheme, FileOf(*parts));
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  EXPECT_EQ((*rebuilt)->Decode(), weight->Decode());
  EXPECT_EQ((*rebuilt)->symmetric(), c.symmetric);
}

// Odd rows and columns leave words half full.
INSTANTIATE_TEST_SUITE_P(Shapes, PackQuantizedTest,
                         ::testing::Values(Case{3, 64, 4, 32, true}, Case{3, 64, 4, 32, false},
                                           Case{9, 20, 4, 20, false}, Case{5, 6, 8, 3, false}, Case{1, 1, 8, 1, true},
                                           Case{17, 12, 8, 12, false}, Case{8, 36, 4, 12, true}));

// The layout that the package documents: value i at bits 4 i of its word, zero points along the rows.
TEST(PackQuantizedLayoutTest, LowestValueFirst) {
  const std::vector<uint8_t> codes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0};
  const std::vector<uint16_t> scales = {FloatToF16(1), FloatToF16(2)};
  const std::vector<uint8_t> zero_points = {3, 12};
  const auto weight = *GroupIntTensor::Create({2, 8, 4, 8}, codes, scales, zero_points);
  const auto parts = PackQuantized("m", *weight);
  ASSERT_TRUE(parts.ok());
  EXPECT_THAT(parts->at(0).tensor.as<uint32_t>(), ::testing::ElementsAre(0x87654321u, 0x0fedcba9u));
  EXPECT_THAT(parts->at(2).tensor.as<int64_t>(), ::testing::ElementsAre(2, 8));
  EXPECT_EQ(parts->at(3).name, "m.weight_zero_point");
  EXPECT_THAT(parts->at(3).tensor.as<uint32_t>(), ::testing::ElementsAre(0xc3u));
}

TEST(PackQuantizedHostileTest, WrongPartsAreNamed) {
  const auto weight = Weight(4, 64, 4, 32, false);
  const Safetensors good = FileOf(*PackQuantized("m", *weight));
  const PackedScheme scheme = {4, 32, false};
  const auto status = [&](const std::string& name, const Tensor& tensor) {
    Safetensors file = good;
    file.tensors[name] = tensor;
    return UnpackQuantized("m", scheme, file).status();
  };
  const auto shape = [](int64_t rows, int64_t columns) {
    return *Tensor::Own(DType::kI64, {2}, std::vector<int64_t>{rows, columns});
  };
  EXPECT_THAT(status("m.weight_shape", shape(-4, 64)).message(), HasSubstr("which cannot be"));
  EXPECT_THAT(status("m.weight_shape", shape(int64_t{1} << 60, int64_t{1} << 60)).message(), HasSubstr("cannot be"));
  EXPECT_THAT(status("m.weight_shape", shape(4, 65)).message(), HasSubstr("cannot be"));
  EXPECT_THAT(status("m.weight_shape", shape(8, 64)).message(), HasSubstr("\"m.weight_packed\" is I32 [4, 8]"));
  EXPECT_THAT(status("m.weight_scale", *Tensor::Own(DType::kF16, {8}, std::vector<uint16_t>(8))).message(),
              HasSubstr("\"m.weight_scale\""));
  EXPECT_THAT(status("m.weight_zero_point", *Tensor::Own(DType::kI32, {4, 2}, std::vector<int32_t>(8))).message(),
              HasSubstr("\"m.weight_zero_point\""));
  Safetensors missing = good;
  missing.tensors.erase("m.weight_packed");
  EXPECT_EQ(UnpackQuantized("m", scheme, missing).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tersor
