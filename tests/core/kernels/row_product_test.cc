#include "core/kernels/row_product.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/kernels/bit_plane_matrix.h"
#include "core/kernels/cpu_info.h"
#include "core/kernels/low_bit_matrix.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/reference.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

struct Layer {
  int64_t outputs, inputs;
  std::vector<float> weights, bias;
  PackedMatrix packed;

  Layer(int64_t outputs, int64_t inputs, Precision precision)
      : outputs(outputs),
        inputs(inputs),
        weights(RandomFloats(outputs * inputs, 1)),
        bias(RandomFloats(outputs, 2)),
        packed(*PackedMatrix::Pack(weights, outputs, inputs, precision)) {}
};

TEST(RowProductTest, MatchesTheReferenceOnAnyThreads) {
  for (const Precision precision : {Precision::kF32, Precision::kBF16}) {
    if (precision == Precision::kBF16 && !GetCpuInfo().bf16) continue;
    std::vector<Layer> layers;
    for (const auto& [outputs, inputs] : std::vector<std::pair<int, int>>{
             {192, 576}, {576, 1536}, {65, 33}, {3, 7}, {512, 577}, {1, 1}, {160, 64}, {128, 2048}}) {
      layers.emplace_back(outputs, inputs, precision);
    }
    const std::vector<float> x = RandomFloats(2048, 3);
    std::vector<std::vector<float>> first;
    for (const int threads : {1, 2, 3, 100}) {
      std::vector<std::vector<float>> y;
      std::vector<RowProduct> products;
      for (size_t i = 0; i < layers.size(); ++i) y.emplace_back(layers[i].outputs, 5.0f);
      for (size_t i = 0; i < layers.size(); ++i) {
        // Every second one adds to what is there.
        const float* bias = i % 3 == 0 ? nullptr : layers[i].bias.data();
        products.push_back(
            {&layers[i].packed, {x.data(), layers[i].inputs, 1, bias, i % 2 == 1, y[i].data(), layers[i].outputs}});
      }
      ASSERT_TRUE(MultiplyRows(threads, products).ok());
      if (first.empty()) first = y;
      EXPECT_EQ(y, first) << threads << " threads";
    }
    for (size_t i = 0; i < layers.size(); ++i) {
      const Layer& layer = layers[i];
      const auto expected =
          reference::MatMul(x, layer.weights, i % 3 == 0 ? std::span<const float>() : std::span(layer.bias), 1,
                            layer.outputs, layer.inputs);
      // Rows are not rounded to bf16, only weights are.
      const double tolerance = (precision == Precision::kF32 ? 1e-5 : 1e-2) * std::sqrt(layer.inputs);
      for (int64_t o = 0; o < layer.outputs; ++o) {
        ASSERT_NEAR(first[i][o], expected[o] + (i % 2 == 1 ? 5 : 0), tolerance)
            << layer.outputs << " x " << layer.inputs;
      }
    }
  }
}

// Rows together have the bits of each alone, whatever holds the weight.
TEST(RowProductTest, RowsDoNotDependOnEachOther) {
  constexpr int64_t kOutputs = 70, kInputs = 96, kRows = 11, kStride = 100;
  const std::vector<float> weights = RandomFloats(kOutputs * kInputs, 4), x = RandomFloats(kRows * kStride, 5);
  const std::vector<float> bias = RandomFloats(kOutputs, 6);
  std::vector<std::unique_ptr<RowMatrix>> matrices;
  matrices.push_back(std::make_unique<PackedMatrix>(*PackedMatrix::Pack(weights, kOutputs, kInputs, Precision::kF32)));
  if (GetCpuInfo().bf16) {
    matrices.push_back(
        std::make_unique<PackedMatrix>(*PackedMatrix::Pack(weights, kOutputs, kInputs, Precision::kBF16)));
  }
  for (const int64_t group : {16, 32, 96}) {
    for (const RowActivations activations :
         {RowActivations::kFloat32, RowActivations::kInt8, RowActivations::kInt8Token}) {
      const auto read = [](int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales,
                           std::span<uint8_t> zeros) {
        for (size_t i = 0; i < codes.size(); ++i) codes[i] = (row * 7 + i * 5) % 16;
        std::fill(scales.begin(), scales.end(), uint16_t{0x2c00});
        std::fill(zeros.begin(), zeros.end(), uint8_t{5});
      };
      matrices.push_back(std::make_unique<LowBitMatrix>(
          *LowBitMatrix::Pack({kOutputs, kInputs, 4, group, group != 96}, activations, 1, read)));
    }
  }
  matrices.push_back(std::make_unique<BitPlaneMatrix>(*BitPlaneMatrix::Pack(
      {kOutputs, kInputs, 3, 32}, 1, [](int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales) {
        for (size_t i = 0; i < codes.size(); ++i) codes[i] = (row * 3 + i) % 8;
        std::fill(scales.begin(), scales.end(), uint16_t{0x2c00});
      })));
  for (const auto& matrix : matrices) {
    std::vector<float> together(kRows * kStride, 1.0f), alone = together;
    const RowProduct all[] = {{matrix.get(), {x.data(), kStride, kRows, bias.data(), true, together.data(), kStride}}};
    ASSERT_TRUE(MultiplyRows(2, all).ok());
    for (int64_t row = 0; row < kRows; ++row) {
      const RowProduct one[] = {
          {matrix.get(),
           {x.data() + row * kStride, kStride, 1, bias.data(), true, alone.data() + row * kStride, kStride}}};
      ASSERT_TRUE(MultiplyRows(1, one).ok());
    }
    EXPECT_EQ(together, alone);
  }
}

TEST(RowProductTest, CommonSizesHavePanels) {
  if (GetCpuInfo().kernel_isa == "SCALAR") GTEST_SKIP() << "no AVX2: the library does not pack";
  const Layer layer(576, 576, Precision::kF32);
  EXPECT_GT(layer.packed.panels(), 1) << "decoding would take the slow way: the library's layout has changed";
}

}  // namespace
}  // namespace tersor
