#include "core/model/finite_weights.h"

#include <cmath>
#include <limits>

#include "core/encoding/dense_tensor.h"
#include "core/encoding/indexed_int_tensor.h"
#include "core/tensor/float16.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

EncodedTensorPtr Halves(Shape shape, std::vector<uint16_t> values) {
  return *DenseTensor::Create(*Tensor::Own(DType::kF16, std::move(shape), std::move(values)));
}

EncodedTensorPtr Codes(uint16_t scale) {
  IntParts parts;
  parts.rows = 2;
  parts.columns = 8;
  parts.bits = 8;
  parts.codes.assign(16, 255);
  parts.scales = *Tensor::Own(DType::kF16, {2, 2}, std::vector<uint16_t>(4, scale));
  return *MakeIntTensor(std::move(parts));
}

TEST(FiniteWeightsTest, SoundWeightsGiveNothing) {
  Model model;
  model.parameters["a"] = Halves({3, 5}, std::vector<uint16_t>(15, FloatToF16(65504)));
  model.parameters["b"] = Codes(FloatToF16(65504));
  EXPECT_THAT(NonFiniteWeights(model, 2), IsEmpty());
}

TEST(FiniteWeightsTest, NamesTheFirstElementOfEachParameter) {
  std::vector<uint16_t> values(700 * 1001, FloatToF16(0.5f));
  values[699 * 1001 + 3] = 0xfc00;
  values[300 * 1001 + 1000] = 0x7e00;
  std::vector<uint16_t> vector(7, FloatToF16(1));
  vector[6] = 0x7c00;
  Model model;
  model.parameters["b.vector"] = Halves({7}, vector);
  model.parameters["a.matrix"] = Halves({700, 1001}, values);
  for (const int threads : {1, 4}) {
    const std::vector<NonFiniteWeight> found = NonFiniteWeights(model, threads);
    ASSERT_THAT(found, SizeIs(2));
    EXPECT_EQ(Describe(found[0]), "\"a.matrix\" holds NaN at element [300, 1000]");
    EXPECT_EQ(Describe(found[1]), "\"b.vector\" holds infinity at element [6]");
  }
}

TEST(FiniteWeightsTest, ValuesThatOverflowWhenDecodedCount) {
  Model model;
  // (15 - 8) x 3.3e38 in BF16.
  IntParts parts;
  parts.rows = 1;
  parts.columns = 4;
  parts.codes = {8, 8, 15, 8};
  parts.scales = *Tensor::Own(DType::kBF16, {1, 1}, std::vector<uint16_t>{FloatToBF16(3.3e38f)});
  model.parameters["codes"] = *MakeIntTensor(std::move(parts));
  model.parameters["doubles"] = *DenseTensor::Create(*Tensor::Own(DType::kF64, {2}, std::vector<double>{1, -1e300}));
  const std::vector<NonFiniteWeight> found = NonFiniteWeights(model, 1);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(Describe(found[0]), "\"codes\" holds infinity at element [0, 2]");
  EXPECT_EQ(Describe(found[1]), "\"doubles\" holds -infinity at element [1]");
}

}  // namespace
}  // namespace tersor
