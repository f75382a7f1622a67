#include "core/kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/kernels/reference.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

// Keys and values of one head, in blocks; positions that are not filled hold NaN keys and values.
class Blocks {
 public:
  Blocks(const reference::AttentionShape& shape, int64_t kv_head, std::span<const float> keys,
         std::span<const float> values) {
    const int64_t d = shape.head_size, width = shape.kv_heads * d, padded = PaddedHeadSize(d);
    const int64_t positions = static_cast<int64_t>(keys.size()) / width;
    const int64_t count = (positions + kKeyBlock - 1) / kKeyBlock;
    keys_.assign(count * d * kKeyBlock, std::nanf(""));
    values_.assign(count * padded * kKeyBlock, std::nanf(""));
    for (int64_t p = 0; p < positions; ++p) {
      const int64_t block = p / kKeyBlock, column = p % kKeyBlock;
      for (int64_t i = 0; i < padded; ++i) {
        values_[(block * kKeyBlock + column) * padded + i] = i < d ? values[p * width + kv_head * d + i] : 0;
        if (i < d) keys_[(block * d + i) * kKeyBlock + column] = keys[p * width + kv_head * d + i];
      }
    }
    for (int64_t b = 0; b < count; ++b) {
      blocks_.push_back({&keys_[b * d * kKeyBlock], &values_[b * padded * kKeyBlock]});
    }
  }
  std::span<const KeyValueBlock> blocks() const { return blocks_; }

 private:
  std::vector<float> keys_, values_;
  std::vector<KeyValueBlock> blocks_;
};

struct Case {
  reference::AttentionShape shape;
  int64_t positions;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << "h" << c.shape.heads << "kv" << c.shape.kv_heads << "d" << c.shape.head_size << "w" << c.shape.window << "n"
       << c.positions;
}

class AttentionTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto& [shape, positions] = GetParam();
    queries_ = RandomFloats(positions * shape.heads * shape.head_size, 1);
    keys_ = RandomFloats(positions * shape.kv_heads * shape.head_size, 2, 2);
    values_ = RandomFloats(positions * shape.kv_heads * shape.head_size, 3);
  }

  // All positions, in tiles of `step`.
  std::vector<float> Run(int64_t step) const {
    const auto& [shape, positions] = GetParam();
    std::vector<float> outputs(queries_.size());
    AttentionTile tile;
    tile.head_size = shape.head_size;
    tile.group = shape.heads / shape.kv_heads;
    tile.window = shape.window;
    tile.scale = 1 / std::sqrt(static_cast<float>(shape.head_size));
    tile.score_cap = static_cast<float>(shape.score_cap);
    tile.query_stride = tile.output_stride = shape.heads * shape.head_size;
    for (int64_t kv_head = 0; kv_head < shape.kv_heads; ++kv_head) {
      const Blocks blocks(shape, kv_head, keys_, values_);
      tile.blocks = blocks.blocks();
      for (int64_t first = 0; first < positions; first += step) {
        tile.first_position = first;
        tile.positions = std::min(step, positions - first);
        const int64_t at = first * tile.query_stride + kv_head * tile.group * shape.head_size;
        tile.queries = queries_.data() + at;
        tile.outputs = outputs.data() + at;
        Attend(tile);
      }
    }
    return outputs;
  }

  std::vector<float> queries_, keys_, values_;
};

TEST_P(AttentionTest, MatchesTheReference) {
  const std::vector<double> expected = reference::Attend(GetParam().shape, queries_, keys_, values_);
  const std::vector<float> outputs = Run(32);
  for (size_t i = 0; i < outputs.size(); ++i) ASSERT_NEAR(outputs[i], expected[i], 1e-5) << i;
}

TEST_P(AttentionTest, TilesDoNotMatter) {
  const std::vector<float> whole = Run(GetParam().positions);
  for (const int64_t step : {1, 5, 32, 64}) {
    const std::vector<float> tiled = Run(step);
    EXPECT_EQ(std::memcmp(tiled.data(), whole.data(), whole.size() * sizeof(float)), 0) << step;
  }
}

// A key that is no number makes numbers of no query that sees it, and changes nothing for the others.
TEST_P(AttentionTest, WhatIsNoNumberIsSeen) {
  const auto& [shape, positions] = GetParam();
  const std::vector<float> sound = Run(32);
  const int64_t at = positions / 2, width = shape.heads * shape.head_size;
  keys_[at * shape.kv_heads * shape.head_size] = std::nanf("");
  const std::vector<float> outputs = Run(32);
  for (int64_t p = 0; p < positions; ++p) {
    const bool sees = p >= at && (shape.window == 0 || p - at < shape.window);
    for (int64_t i = 0; i < width; ++i) {
      const bool reads = sees && i / shape.head_size < shape.heads / shape.kv_heads;
      if (reads) {
        ASSERT_TRUE(std::isnan(outputs[p * width + i])) << p << " " << i;
      } else {
        ASSERT_EQ(outputs[p * width + i], sound[p * width + i]) << p << " " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, AttentionTest,
                         testing::Values(Case{{9, 3, 64, 0}, 200}, Case{{4, 4, 24, 0}, 131}, Case{{4, 2, 16, 8}, 90},
                                         Case{{6, 2, 20, 37}, 300}, Case{{14, 2, 64, 64}, 129},
                                         Case{{2, 1, 128, 0}, 65}, Case{{3, 1, 80, 100}, 193}, Case{{1, 1, 2, 0}, 1},
                                         Case{{4, 2, 16, 0, 5}, 70}));

}  // namespace
}  // namespace tersor
