#include "core/kernels/vector_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/kernels/cpu_info.h"
#include "core/kernels/reference.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(VectorOpsTest, RmsNorm) {
  for (const int64_t width : {1, 3, 16, 31, 64, 72, 577}) {
    const std::vector<float> weight = RandomFloats(width, 1);
    const int64_t stride = width + 3;
    std::vector<float> x = RandomFloats(4 * stride, 2), y(4 * stride);
    RmsNorm(x.data(), stride, 4, width, weight.data(), 1e-5f, y.data(), stride);
    for (int64_t row = 0; row < 4; ++row) {
      const auto expected = reference::RmsNorm(std::span(x).subspan(row * stride, width), weight, 1e-5);
      for (int64_t i = 0; i < width; ++i) {
        EXPECT_NEAR(y[row * stride + i], expected[i], 1e-6 * (1 + std::fabs(expected[i])));
      }
    }
    RmsNorm(x.data(), stride, 4, width, weight.data(), 1e-5f, x.data(), stride);
    EXPECT_EQ(x[0], y[0]);
  }
}

TEST(VectorOpsTest, Rope) {
  for (const int64_t head_size : {2, 6, 16, 20, 24, 64, 80, 128}) {
    std::vector<float> cosines, sines;
    for (int64_t i = 0; i < head_size / 2; ++i) {
      cosines.push_back(std::cos(0.3f * i));
      sines.push_back(std::sin(0.3f * i));
    }
    std::vector<float> x = RandomFloats(3 * head_size, 4);
    const std::vector<double> expected = reference::Rope(x, head_size, cosines, sines);
    ApplyRope(x.data(), 3, head_size, cosines.data(), sines.data());
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], expected[i], 1e-6);
  }
}

TEST(VectorOpsTest, SwiGlu) {
  for (const int64_t count : {1, 15, 16, 100, 1537}) {
    std::vector<float> gate = RandomFloats(count, 5, 8), up = RandomFloats(count, 6);
    const std::vector<double> expected = reference::SwiGlu(gate, up);
    SwiGlu(gate.data(), up.data(), count);
    for (int64_t i = 0; i < count; ++i) EXPECT_NEAR(gate[i], expected[i], 4e-7 * std::fabs(expected[i]) + 1e-30);
  }
  // Far ends: no NaN.
  std::vector<float> gate(40), up(40, 1.0f);
  for (int i = 0; i < 40; ++i) gate[i] = i % 2 == 0 ? -1000.0f : 1000.0f;
  SwiGlu(gate.data(), up.data(), 40);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(gate[i], i % 2 == 0 ? 0.0f : 1000.0f);
}

TEST(CpuInfoTest, NamesWhatRuns) {
  const CpuInfo& info = GetCpuInfo();
  EXPECT_GE(info.cores, 1);
  EXPECT_FALSE(info.kernel_isa.empty());
  EXPECT_FALSE(info.onednn_isa.empty());
  EXPECT_GE(std::stoi(info.onednn_version), 3);
  EXPECT_EQ(CheckBF16Support().ok(), info.bf16);
}

// Rows of a tile lie one after the other: a row must not notice where in the last vector it ends.
TEST(SwiGluTest, AValuesPlaceChangesNothing) {
  std::vector<float> gate(75), up(75);
  for (size_t i = 0; i < gate.size(); ++i) {
    gate[i] = std::sin(static_cast<float>(i)) * 5;
    up[i] = std::cos(static_cast<float>(i));
  }
  std::vector<float> whole = gate;
  SwiGlu(whole.data(), up.data(), 75);
  for (int64_t first = 0; first < 75; first += 25) {
    std::vector<float> part(gate.begin() + first, gate.begin() + first + 25);
    SwiGlu(part.data(), up.data() + first, 25);
    for (int64_t i = 0; i < 25; ++i) EXPECT_EQ(part[i], whole[first + i]) << first + i;
  }
}

}  // namespace
}  // namespace tersor
