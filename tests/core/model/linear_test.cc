#include "core/model/linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/encoding/dense_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/kernels/reference.h"
#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kOutputs = 70;
constexpr int64_t kInputs = 96;

EncodedTensorPtr RandomGroupInt(int bits, int64_t group_size, bool symmetric) {
  std::mt19937 random(bits);
  const int64_t groups = kInputs / group_size;
  std::vector<uint8_t> codes(kOutputs * kInputs), zero_points(symmetric ? 0 : kOutputs * groups);
  std::vector<uint16_t> scales(kOutputs * groups);
  for (uint8_t& code : codes) code = random() % (1 << bits);
  for (uint8_t& zero_point : zero_points) zero_point = random() % (1 << bits);
  for (uint16_t& scale : scales) scale = FloatToF16(0.01f + 0.0001f * static_cast<float>(random() % 100));
  auto tensor = GroupIntTensor::Create({kOutputs, kInputs, bits, group_size}, codes, scales, zero_points);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

struct Products {
  std::vector<float> many, one;
};

// Rows [3, 3 + 60) of `weight` times 5 rows of x, and the first of them alone.
Products Multiply(const Linear& linear, const std::vector<float>& x) {
  Products products{std::vector<float>(5 * linear.outputs()), std::vector<float>(linear.outputs())};
  EXPECT_TRUE(linear.Multiply(x.data(), kInputs, 5, false, products.many.data(), linear.outputs()).ok());
  const RowProduct row[] = {linear.Rows(x.data(), 1, false, products.one.data())};
  EXPECT_TRUE(MultiplyRows(2, row).ok());
  return products;
}

TEST(LinearTest, EveryKernelComputesWhatTheWeightDecodesTo) {
  const std::vector<float> x = RandomFloats(5 * kInputs, 1), bias = RandomFloats(60, 2);
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool symmetric : {true, false}) {
      const EncodedTensorPtr weight = RandomGroupInt(bits, 32, symmetric);
      std::vector<float> values(60 * kInputs);
      weight->DecodeRows(3, 60, values.data());
      const std::vector<double> expected = reference::MatMul(x, values, bias, 5, 60, kInputs);
      std::vector<float> many;
      for (const LinearCompute compute :
           {LinearCompute::kDecoded, LinearCompute::kEncodedFloat32, LinearCompute::kEncodedInt8}) {
        ComputeOptions options;
        options.linears = compute;
        const auto linear = Linear::Create({weight.get(), 3, 60}, bias, options);
        ASSERT_TRUE(linear.ok()) << linear.status();
        EXPECT_EQ(linear->encoded(), compute != LinearCompute::kDecoded);
        const Products products = Multiply(*linear, x);
        // Over many rows all kernels multiply the same decoded values.
        if (many.empty()) many = products.many;
        EXPECT_EQ(products.many, many) << linear->row_kernel();
        const double tolerance = compute == LinearCompute::kEncodedInt8 ? 0.02 * bits * bits : 1e-4;
        for (int i = 0; i < 60; ++i) {
          ASSERT_NEAR(products.many[i], expected[i], 1e-4) << linear->row_kernel();
          ASSERT_NEAR(products.one[i], expected[i], tolerance) << linear->row_kernel();
        }
        const auto held = linear->Hold(2);
        ASSERT_TRUE(held.ok());
        EXPECT_EQ(Multiply(*linear, x).many, many);
      }
    }
  }
}

// W8A8 by integers against the same layer in floats.
TEST(LinearTest, InputsAreRoundedToTheirFormat) {
  const std::vector<float> x = RandomFloats(5 * kInputs, 4);
  for (const int bits : {8, 6}) {
    const EncodedTensorPtr plain = RandomGroupInt(8, kInputs, true);
    const auto format = IntTokenFormat::Create(kInputs, {.bits = bits});
    ASSERT_TRUE(format.ok());
    const auto weight = InputFormatTensor::Create(plain, *format);
    ASSERT_TRUE(weight.ok()) << weight.status();
    std::vector<float> rounded(x.size()), values(kOutputs * kInputs);
    (*format)->Round(x.data(), 5, rounded.data());
    plain->DecodeRows(0, kOutputs, values.data());
    const std::vector<double> expected = reference::MatMul(rounded, values, {}, 5, kOutputs, kInputs);
    for (const LinearCompute compute : {LinearCompute::kDecoded, LinearCompute::kEncodedInt8}) {
      ComputeOptions options;
      options.linears = compute;
      const auto linear = Linear::Create({weight->get(), 0, kOutputs}, {}, options);
      ASSERT_TRUE(linear.ok()) << linear.status();
      EXPECT_EQ(linear->kernel(), bits == 8 ? "int8 x int8 per token" : "int8 x int6 per token");
      const Products products = Multiply(*linear, x);
      for (int64_t i = 0; i < 5 * kOutputs; ++i) {
        ASSERT_NEAR(products.many[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
        if (i >= kOutputs) continue;
        ASSERT_NEAR(products.one[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
      }
    }
  }
}

TEST(LinearTest, NamesItsKernel) {
  const EncodedTensorPtr dense = *DenseTensor::FromFloats({kOutputs, kInputs}, RandomFloats(kOutputs * kInputs, 3));
  const auto name = [](const EncodedTensorPtr& weight, LinearCompute compute) {
    ComputeOptions options;
    options.linears = compute;
    return Linear::Create({weight.get(), 0, kOutputs}, {}, options)->row_kernel();
  };
  EXPECT_EQ(name(dense, LinearCompute::kEncodedInt8), "float32");
  EXPECT_EQ(name(RandomGroupInt(4, 32, true), LinearCompute::kDecoded), "float32");
  EXPECT_EQ(name(RandomGroupInt(4, 32, true), LinearCompute::kEncodedInt8), "int4 x int8");
  EXPECT_EQ(name(RandomGroupInt(3, 96, true), LinearCompute::kEncodedFloat32), "int3 x float32");
  EXPECT_EQ(name(RandomGroupInt(4, 16, true), LinearCompute::kEncodedInt8), "int4 x int8");
  // Groups of 8 have no kernel.
  EXPECT_EQ(name(RandomGroupInt(4, 8, true), LinearCompute::kEncodedInt8), "float32");
}

TEST(LinearTest, RefusesWhatDoesNotFit) {
  const EncodedTensorPtr dense = *DenseTensor::FromFloats({kOutputs, kInputs}, RandomFloats(kOutputs * kInputs, 3));
  EXPECT_THAT(Linear::Create({dense.get(), 60, 20}, {}, {}).status().message(), HasSubstr("a matrix of 70 rows"));
  EXPECT_THAT(Linear::Create({dense.get(), 0, 20}, {1, 2}, {}).status().message(), HasSubstr("a bias of 2"));
  EXPECT_EQ(Linear().Hold(1).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Linear().Multiply(nullptr, 0, 0, false, nullptr, 0).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace tersor
