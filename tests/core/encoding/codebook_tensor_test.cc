#include "core/encoding/codebook_tensor.h"

#include <cmath>

#include "core/encoding/bit_plane_tensor.h"
#include "core/encoding/columns_tensor.h"
#include "core/encoding/sparse_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using ::testing::ElementsAre;

TEST(GroupScalesTest, PowersOfTwoAreRoundedUp) {
  const auto scales = *GroupScales::Encode(ScaleForm::kE8m0, 1, 5, {1, 1.01f, 0.5f, 0.3f, 0});
  EXPECT_THAT(scales.values(), ElementsAre(1, 2, 0.5f, 0.5f, std::ldexp(1.0f, -127)));
}

TEST(GroupScalesTest, RowShiftsKeepTheRowsLargestAndNeverFallShort) {
  const auto scales = *GroupScales::Encode(ScaleForm::kRowShift, 2, 3, {3, 1.4f, 0.75f, 0.1f, 0.1f, 0.05f});
  EXPECT_THAT(scales.values(), ElementsAre(3, 1.5f, 0.75f, 0.1f, 0.1f, 0.05f));
}

TEST(GroupScalesTest, DoubleQuantizationIsWithinAHundredthOfTheSpread) {
  std::vector<float> wanted;
  for (int i = 0; i < 600; ++i) wanted.push_back(0.02f + 0.01f * std::sin(static_cast<float>(i)));
  const auto scales = *GroupScales::Encode(ScaleForm::kDouble, 2, 300, wanted);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(scales.values()[i], wanted[i], 1.1e-4);
  // QLoRA, section 3: 8 bits and 32 / 256 bits a scale.
  EXPECT_EQ(GroupScales::ByteSize(ScaleForm::kDouble, 2, 300), 600u + 3 * 4 + 4);
}

TEST(GroupScalesTest, Nvfp4ScalesAreE4m3TimesOneFactor) {
  const auto scales = *GroupScales::Encode(ScaleForm::kE4m3, 1, 3, {448 * 0.25f, 0.25f, 1.03f * 0.25f});
  EXPECT_THAT(scales.values(), ElementsAre(112, 0.25f, 0.25f));
}

TEST(GroupScalesTest, RefusesWhatItCannotHold) {
  EXPECT_FALSE(GroupScales::Encode(ScaleForm::kF16, 1, 1, {7e4f}).ok());
  EXPECT_FALSE(GroupScales::Encode(ScaleForm::kF32, 1, 1, {NAN}).ok());
  EXPECT_FALSE(GroupScales::Encode(ScaleForm::kF32, 1, 2, {1}).ok());
}

TEST(CodebookTensorTest, ValueIsBookTimesScale) {
  const auto tensor = *CodebookTensor::Create({1, 4, &E2m1Book(), 2}, std::vector<uint8_t>{7, 1, 15, 0},
                                              *GroupScales::Encode(ScaleForm::kE8m0, 1, 2, {0.5f, 4}));
  EXPECT_THAT(tensor->Decode(), ElementsAre(3, 0.25f, -24, 0));
  EXPECT_EQ(tensor->byte_size(), 4u);
}

TEST(CodebookTensorTest, RefusesCodesThatAreNoNumbers) {
  const auto scales = *GroupScales::Encode(ScaleForm::kF32, 1, 1, {1});
  EXPECT_FALSE(CodebookTensor::Create({1, 2, &E4m3Book(), -1}, std::vector<uint8_t>{0x7f, 0}, scales).ok());
  EXPECT_FALSE(CodebookTensor::Create({1, 2, &Nf4Book(), -1}, std::vector<uint8_t>{16, 0}, scales).ok());
  EXPECT_FALSE(CodebookTensor::Create({1, 3, &Nf4Book(), 2}, std::vector<uint8_t>{1, 2, 3}, scales).ok());
}

TEST(BitPlaneTensorTest, ValueIsASumOfScaledSigns) {
  // Scales 0.5 and 2: codes 0 .. 3 are -2.5, -1.5, 1.5, 2.5.
  const auto tensor =
      *BitPlaneTensor::Create({1, 4, 2, -1}, std::vector<uint8_t>{0, 1, 2, 3}, std::vector<uint16_t>{0x3800, 0x4000});
  EXPECT_THAT(tensor->Decode(), ElementsAre(-2.5f, -1.5f, 1.5f, 2.5f));
  EXPECT_EQ(tensor->byte_size(), BitPlaneTensor::ByteSize({1, 4, 2, -1}));
}

TEST(SumTensorTest, AddsItsTerms) {
  const auto columns = *ColumnsTensor::Create({2, 3}, {1}, {10, 20});
  const auto sparse = *SparseTensor::Create({2, 3}, {{0, 1, 1}, {1, 2, 5}});
  EXPECT_THAT((*SumTensor::Create({columns, sparse}))->Decode(), ElementsAre(0, 11, 0, 0, 20, 5));
  EXPECT_FALSE(SumTensor::Create({columns}).ok());
  EXPECT_FALSE(SumTensor::Create({columns, *SumTensor::Create({columns, sparse})}).ok());
}

TEST(SparseTensorTest, RefusesEntriesOutOfOrderOrPlace) {
  EXPECT_FALSE(SparseTensor::Create({2, 3}, {{0, 1, 1}, {0, 1, 2}}).ok());
  EXPECT_FALSE(SparseTensor::Create({2, 3}, {{0, 3, 1}}).ok());
  EXPECT_FALSE(SparseTensor::Create({2, 3}, {{2, 0, 1}}).ok());
  EXPECT_FALSE(SparseTensor::Create({2, 3}, {{0, 0, INFINITY}}).ok());
  EXPECT_FALSE(ColumnsTensor::Create({2, 3}, {2, 1}, {1, 2, 3, 4}).ok());
  EXPECT_FALSE(ColumnsTensor::Create({2, 3}, {3}, {1, 2}).ok());
}

}  // namespace
}  // namespace tersor
