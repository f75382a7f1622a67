// indexed-int and float8: what other tools' files become; and rows of any encoding.
#include <cmath>

#include "core/encoding/dense_tensor.h"
#include "core/encoding/encoding_registry.h"
#include "core/encoding/float8_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/indexed_int_tensor.h"
#include "core/encoding/row_selection.h"
#include "core/tensor/float8.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using ::testing::HasSubstr;

Tensor Scales(Shape shape, std::vector<float> values) { return *Tensor::Own(DType::kF32, shape, std::move(values)); }

// 2 x 4 codes in two groups.
IntParts Parts() {
  IntParts parts;
  parts.rows = 2;
  parts.columns = 4;
  parts.codes = {0, 1, 2, 3, 12, 13, 14, 15};
  parts.scales = Scales({2, 2}, {0.1f, 0.2f, 0.3f, 0.4f});
  parts.zero_points = {1, 2, 3, 4};
  return parts;
}

void ExpectRebuilt(const EncodedTensor& tensor) {
  const auto again = DecodeFields(tensor.encoding(), tensor.shape(), tensor.Fields(), tensor.Parameters());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Decode(), tensor.Decode());
  EXPECT_EQ((*again)->byte_size(), tensor.byte_size());
}

TEST(IndexedIntTensorTest, HoldsScalesAndGroupsOfAnyKind) {
  const auto wide = MakeIntTensor(Parts());
  ASSERT_TRUE(wide.ok()) << wide.status();
  EXPECT_EQ((*wide)->encoding(), "indexed-int");
  EXPECT_EQ((*wide)->Decode()[0], -1 * 0.1f);
  EXPECT_EQ((*wide)->Decode()[7], 11 * 0.4f);
  ExpectRebuilt(**wide);
  IntParts indexed = Parts();
  indexed.group_index = {1, 0, 0, 1};
  const auto ordered = MakeIntTensor(std::move(indexed));
  ASSERT_TRUE(ordered.ok()) << ordered.status();
  EXPECT_EQ((*ordered)->Decode()[0], -2 * 0.2f);
  ExpectRebuilt(**ordered);
}

TEST(IndexedIntTensorTest, GroupIntWhereThatIsExact) {
  IntParts parts = Parts();
  parts.scales = Scales({2, 2}, {0.5f, 0.25f, 1, 2});
  parts.group_index = {0, 0, 1, 1};
  parts.zero_points = {8, 8, 8, 8};
  const auto tensor = MakeIntTensor(std::move(parts));
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  const auto group_int = std::dynamic_pointer_cast<const GroupIntTensor>(*tensor);
  ASSERT_NE(group_int, nullptr);
  EXPECT_TRUE(group_int->symmetric());
  EXPECT_EQ(group_int->group_size(), 2);
}

TEST(IndexedIntTensorTest, FaultsAreNamed) {
  IntParts parts = Parts();
  parts.group_index = {0, 0, 1, 2};
  EXPECT_THAT(MakeIntTensor(std::move(parts)).status().message(), HasSubstr("column 3 is said to be in group 2"));
  parts = Parts();
  parts.scales = Scales({2, 2}, {0.1f, NAN, 0.3f, 0.4f});
  EXPECT_THAT(MakeIntTensor(std::move(parts)).status().message(), HasSubstr("number 1 of field \"scales\""));
  parts = Parts();
  parts.codes.pop_back();
  EXPECT_FALSE(MakeIntTensor(std::move(parts)).ok());
  parts = Parts();
  parts.codes[0] = 16;
  EXPECT_FALSE(MakeIntTensor(std::move(parts)).ok());
  parts = Parts();
  parts.columns = -4;
  EXPECT_FALSE(MakeIntTensor(std::move(parts)).ok());
}

TEST(Float8TensorTest, ValuesOfTheCodes) {
  EXPECT_EQ(F8E4M3Values()[0x7e], 448);
  EXPECT_EQ(F8E4M3Values()[0x01], 0x1p-9f);
  EXPECT_EQ(F8E4M3Values()[0xb8], -1);
  EXPECT_TRUE(std::isnan(F8E4M3Values()[0x7f]));
  EXPECT_EQ(F8E5M2Values()[0x7b], 57344);
  EXPECT_TRUE(std::isinf(F8E5M2Values()[0x7c]));
}

TEST(Float8TensorTest, BlocksHaveTheirScales) {
  std::vector<uint8_t> codes(3 * 5, 0x38);
  const Tensor values = *Tensor::Own(DType::kF8E4M3, {3, 5}, codes);
  const auto tensor = Float8Tensor::Create(values, Scales({2, 3}, {1, 2, 3, 4, 5, 6}), 2, 2);
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ((*tensor)->Decode(), (std::vector<float>{1, 1, 2, 2, 3, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6}));
  ExpectRebuilt(**tensor);
  EXPECT_FALSE(Float8Tensor::Create(values, Scales({1, 3}, {1, 2, 3}), 2, 2).ok());
  EXPECT_FALSE(Float8Tensor::Create(values, Scales({3, 1}, {1, 2, 3}), 1, 0).ok());
  codes[4] = 0x7f;
  const Tensor nan = *Tensor::Own(DType::kF8E4M3, {3, 5}, codes);
  EXPECT_THAT(Float8Tensor::Create(nan, Scales({1, 1}, {1}), 3, 5).status().message(), HasSubstr("number 4"));
}

TEST(RowSelectionTest, RowsOfEveryEncoding) {
  const EncodedTensorPtr dense = *DenseTensor::FromFloats({4, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ((*SelectRows(dense, {2, 1, 2, 2}))->Decode(), (std::vector<float>{2, 3, 4, 5}));
  EXPECT_EQ((*SelectRows(dense, {2, 1, 1, 2}))->Decode(), (std::vector<float>{2, 3, 6, 7}));
  const EncodedTensorPtr vector = *DenseTensor::FromFloats({4}, {0, 1, 2, 3});
  EXPECT_EQ((*SelectRows(vector, {2, 0, 1, 2}))->Decode(), (std::vector<float>{0, 2}));
  IntParts parts = Parts();
  parts.group_index = {1, 0, 0, 1};
  const EncodedTensorPtr codes = *MakeIntTensor(std::move(parts));
  const std::vector<float> all = codes->Decode();
  EXPECT_EQ((*SelectRows(codes, {1, 1, 1, 1}))->Decode(), std::vector<float>(all.begin() + 4, all.end()));
  EXPECT_FALSE(SelectRows(dense, {4, 1, 4, 4}).ok());
  EXPECT_FALSE(SelectRows(dense, {3, 0, 2, 2}).ok());
  EXPECT_EQ((*TransposedDense(*dense))->Decode(), (std::vector<float>{0, 2, 4, 6, 1, 3, 5, 7}));
}

}  // namespace
}  // namespace tersor
