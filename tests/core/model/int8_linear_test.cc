// Integer weights times integer inputs, through Linear.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_static_format.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/outlier_pair_format.h"
#include "core/encoding/outlier_pair_tensor.h"
#include "core/encoding/shifted_format.h"
#include "core/kernels/reference.h"
#include "core/model/integer_products.h"
#include "core/model/linear.h"
#include "core/tensor/float16.h"
#include "nlohmann/json.hpp"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

constexpr int64_t kOutputs = 70, kInputs = 96, kRows = 19;

std::vector<uint16_t> Scales(int64_t count) {
  std::vector<uint16_t> scales;
  for (int64_t i = 0; i < count; ++i) scales.push_back(FloatToF16(0.01f + 0.0001f * static_cast<float>(i % 100)));
  return scales;
}

std::vector<uint8_t> Codes(int64_t count, int bits, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> codes(count);
  for (uint8_t& code : codes) code = random() % (1 << bits);
  return codes;
}

EncodedTensorPtr GroupInt(int bits, int64_t group, bool symmetric) {
  const int64_t groups = kOutputs * kInputs / group;
  return *GroupIntTensor::Create({kOutputs, kInputs, bits, group}, Codes(kOutputs * kInputs, bits, 1), Scales(groups),
                                 symmetric ? std::vector<uint8_t>() : Codes(groups, bits, 2));
}

EncodedTensorPtr Pairs(int bits, int64_t group) {
  const OutlierPairs pairs(bits);
  std::vector<uint8_t> codes(kOutputs * kInputs);
  std::vector<float> values = RandomFloats(kOutputs * kInputs, 3);
  for (float& value : values) value *= pairs.largest_ordinary() / 1.5f;
  for (size_t i = 0; i < values.size(); i += 2) pairs.Encode(values.data() + i, codes.data() + i);
  return *OutlierPairTensor::Create({kOutputs, kInputs, bits, group}, codes, Scales(kOutputs * kInputs / group));
}

std::vector<ActivationFormatPtr> IntegerFormats() {
  const ActivationFormatPtr range = *IntTokenFormat::Create(kInputs, {.symmetric = false});
  return {*IntTokenFormat::Create(kInputs, {}),
          *IntTokenFormat::Create(kInputs, {.bits = 6}),
          *IntTokenFormat::Create(kInputs, {.group_size = 32}),
          *IntTokenFormat::Create(kInputs, {.outlier_threshold = 1.5f}),
          range,
          *IntStaticFormat::Create(kInputs, 8, {SpanStaticGrid(-2, 3, 8, false)}, {}),
          *OutlierPairFormat::Create(kInputs, 4, 0.2f),
          *ShiftedFormat::Create(RandomFloats(kInputs, 4), range)};
}

// Prefill and single rows, in every way to compute, against values in double.
void ExpectProducts(const EncodedTensorPtr& weight, const ActivationFormat& format, bool integers) {
  const std::vector<float> x = RandomFloats(kRows * kInputs, 5), bias = RandomFloats(60, 6);
  std::vector<float> rounded(x.size()), values(60 * kInputs);
  format.Round(x.data(), kRows, rounded.data());
  weight->DecodeRows(3, 60, values.data());
  const std::vector<double> expected = reference::MatMul(rounded, values, bias, kRows, 60, kInputs);
  std::vector<float> scored;
  for (const LinearCompute compute :
       {LinearCompute::kDecoded, LinearCompute::kEncodedFloat32, LinearCompute::kEncodedInt8}) {
    const auto linear = Linear::Create({weight.get(), 3, 60}, bias, {.linears = compute});
    ASSERT_TRUE(linear.ok()) << linear.status();
    EXPECT_EQ(absl::StartsWith(linear->kernel(), "int"), integers) << linear->kernel();
    const auto held = linear->Hold(2);
    ASSERT_TRUE(held.ok()) << held.status();
    std::vector<float> many(kRows * 60), one(kRows * 60);
    ASSERT_TRUE(linear->Multiply(x.data(), kInputs, kRows, false, many.data(), 60).ok());
    const RowProduct rows[] = {linear->Rows(x.data(), kRows, false, one.data())};
    ASSERT_TRUE(MultiplyRows(2, rows).ok());
    for (size_t i = 0; i < many.size(); ++i) {
      ASSERT_NEAR(many[i], expected[i], 2e-4) << linear->kernel() << " at " << i;
      ASSERT_NEAR(one[i], expected[i], 2e-4) << linear->row_kernel() << " at " << i;
    }
    // What is scored is what is deployed.
    if (scored.empty()) scored = many;
    if (integers) {
      EXPECT_EQ(many, scored) << linear->kernel();
    }
  }
}

TEST(Int8LinearTest, IntegersTimesIntegers) {
  std::vector<EncodedTensorPtr> weights = {Pairs(4, kInputs), Pairs(4, 32), GroupInt(4, 8, true)};
  for (const int bits : {4, 6, 8}) {
    for (const int64_t group : {kInputs, int64_t{32}}) {
      for (const bool symmetric : {true, false}) weights.push_back(GroupInt(bits, group, symmetric));
    }
  }
  for (const EncodedTensorPtr& plain : weights) {
    for (const ActivationFormatPtr& format : IntegerFormats()) {
      SCOPED_TRACE(absl::StrCat(plain->encoding(), " ", plain->Parameters().dump(), " on ", format->name()));
      const auto weight = InputFormatTensor::Create(plain, format);
      ASSERT_TRUE(weight.ok()) << weight.status();
      EXPECT_NE(StoredProducts(**weight), IntegerProducts::kNone);
      ExpectProducts(*weight, *format, /*integers=*/true);
    }
  }
}

TEST(Int8LinearTest, OthersAreRoundedAndMultipliedInFloat) {
  const ActivationFormatPtr token = *IntTokenFormat::Create(kInputs, {});
  std::vector<uint16_t> clusters(kInputs);
  for (int64_t i = 0; i < kInputs; ++i) clusters[i] = i % 2;
  const ActivationFormatPtr several = *IntStaticFormat::Create(kInputs, 4, {{0.5f, 8}, {0.25f, 3}}, clusters);
  const std::vector<std::pair<EncodedTensorPtr, ActivationFormatPtr>> others = {
      {Pairs(8, kInputs), *OutlierPairFormat::Create(kInputs, 8, 0.02f)},
      {GroupInt(4, 32, true), several},
      {GroupInt(4, 2, true), token},
      {GroupInt(4, 48, true), *IntTokenFormat::Create(kInputs, {.group_size = 32})}};
  for (const auto& [plain, format] : others) {
    const auto weight = InputFormatTensor::Create(plain, format);
    ASSERT_TRUE(weight.ok()) << weight.status();
    EXPECT_EQ(StoredProducts(**weight), IntegerProducts::kNone);
    ExpectProducts(*weight, *format, /*integers=*/false);
  }
}

// One sum for each output is what the library multiplies.
TEST(Int8LinearTest, SaysWhoMultiplies) {
  const auto products = [](const EncodedTensorPtr& weight, const ActivationFormatPtr& format) {
    return StoredProducts(**InputFormatTensor::Create(weight, format));
  };
  for (const ActivationFormatPtr& format : IntegerFormats()) {
    const bool sums =
        format->Parameters().value("group_size", -1) == -1 && format->Parameters().value("outlier_threshold", 0.0) == 0;
    EXPECT_EQ(products(GroupInt(4, kInputs, false), format), sums ? IntegerProducts::kLibrary : IntegerProducts::kOwn)
        << format->Parameters();
    EXPECT_EQ(products(GroupInt(8, 32, true), format), IntegerProducts::kOwn);
    EXPECT_EQ(products(GroupInt(8, kInputs, false), format), IntegerProducts::kOwn);
  }
  EXPECT_EQ(StoredProducts(*GroupInt(8, kInputs, true)), IntegerProducts::kNone);
}

}  // namespace
}  // namespace tersor
