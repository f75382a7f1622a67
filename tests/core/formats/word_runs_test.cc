#include "core/formats/word_runs.h"

#include <random>

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(WordRunsTest, RowsAndColumnsComeBack) {
  std::mt19937 random(1);
  for (int bits = 2; bits <= 8; ++bits) {
    for (const WordPacking packing : {WordPacking::kDense, WordPacking::kPadded}) {
      for (const int64_t count : {1, 10, 31, 32, 64, 77}) {
        std::vector<uint8_t> values(3 * count);
        for (uint8_t& value : values) value = static_cast<uint8_t>(random() & ((1u << bits) - 1));
        const auto rows = PackIntoRows(values, 3, count, bits, packing);
        ASSERT_TRUE(rows.ok()) << rows.status();
        EXPECT_EQ(*UnpackRows(*rows, 3, count, bits, packing), values) << bits << " " << count;
        const auto columns = PackIntoColumns(values, 3, count, bits, packing);
        ASSERT_TRUE(columns.ok()) << columns.status();
        EXPECT_EQ(*UnpackColumns(*columns, 3, count, bits, packing), values) << bits << " " << count;
        EXPECT_EQ(columns->shape(), (Shape{rows->shape()[1], 3}));
      }
    }
  }
}

TEST(WordRunsTest, LowestBitsFirst) {
  const auto words = PackIntoRows({1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 9, 4, WordPacking::kDense);
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(words->as<uint32_t>()[0], 0x87654321u);
  EXPECT_EQ(words->as<uint32_t>()[1], 9u);
}

TEST(WordRunsTest, WrongShapesAreRefused) {
  const Tensor words = *Tensor::Own(DType::kI32, {2, 2}, std::vector<int32_t>(4));
  EXPECT_FALSE(UnpackRows(words, 2, 17, 4, WordPacking::kDense).ok());
  EXPECT_FALSE(UnpackRows(words, 3, 16, 4, WordPacking::kDense).ok());
  EXPECT_FALSE(UnpackColumns(words, 2, 17, 4, WordPacking::kDense).ok());
  EXPECT_FALSE(UnpackRows(words, 2, 16, 9, WordPacking::kDense).ok());
}

}  // namespace
}  // namespace tersor
