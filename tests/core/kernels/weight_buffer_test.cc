#include "core/kernels/weight_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace tersor {
namespace {

TEST(WeightBufferTest, BuffersAreAlignedAndApart) {
  std::vector<WeightBuffer> buffers;
  // Small ones, some that leave gaps on their slab, and one beyond it.
  for (const int64_t size : {int64_t{1}, int64_t{17}, int64_t{900000}, int64_t{3000000}, int64_t{1000003},
                             int64_t{2999999}, int64_t{5000000}, int64_t{3}}) {
    buffers.emplace_back(size);
    EXPECT_EQ(buffers.back().size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffers.back().data()) % 64, 0u);
    std::fill_n(buffers.back().data(), size, static_cast<float>(buffers.size()));
  }
  // What is dropped in between takes nothing from the others.
  buffers.erase(buffers.begin() + 2);
  buffers.emplace_back(900000);
  std::fill_n(buffers.back().data(), 900000, 3.0f);
  const std::vector<float> expected = {1, 2, 4, 5, 6, 7, 8, 3};
  for (size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_TRUE(std::all_of(buffers[i].data(), buffers[i].data() + buffers[i].size(), [&](float value) {
      return value == expected[i];
    })) << i;
  }
}

TEST(WeightBufferTest, EmptyOnesHoldNothing) {
  EXPECT_EQ(WeightBuffer().data(), nullptr);
  EXPECT_EQ(WeightBuffer(0).data(), nullptr);
  WeightBuffer from(5);
  from.data()[4] = 7;
  const WeightBuffer to = std::move(from);
  EXPECT_EQ(to.data()[4], 7);
}

}  // namespace
}  // namespace tersor
