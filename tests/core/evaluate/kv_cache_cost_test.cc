#include "core/evaluate/kv_cache_cost.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

ModelSpec ThirtyLayers() {
  ModelSpec spec;
  spec.layers.resize(30);
  for (LayerSpec& layer : spec.layers) layer.attention = {.heads = 9, .kv_heads = 3, .head_size = 64};
  return spec;
}

TEST(KvCacheCostTest, CountsCodesAndGrids) {
  // Keys and values of 30 layers x 3 heads x 64.
  const v1::KvCacheResult dense = DescribeKvCache(ThirtyLayers(), {}, 1000000);
  EXPECT_EQ(dense.bytes_per_token(), 2 * 30 * 3 * 64 * 4);
  EXPECT_EQ(dense.outweighs_weights_from_tokens(), 22);
  const v1::KvCacheResult int8 = DescribeKvCache(ThirtyLayers(), {8, KvKeys::kToken}, 1000000);
  EXPECT_EQ(int8.bytes_per_token(), 2 * 30 * 3 * (64 + 4));
  EXPECT_EQ(int8.dense_bytes_per_token(), dense.bytes_per_token());
  EXPECT_EQ(KvCacheText(int8), "int8: 12240 bytes a token, more than the weights from 82 tokens on");
  // 64 channels have a grid for 64 positions each.
  EXPECT_EQ(DescribeKvCache(ThirtyLayers(), {4, KvKeys::kChannel}, 1).bytes_per_token(), 2 * 30 * 3 * (32 + 4));
}

TEST(KvCacheCostTest, ReadsTheRecipe) {
  std::vector<FieldViolation> violations;
  v1::Recipe recipe;
  EXPECT_EQ(ReadKvFormat(recipe, violations), KvFormat());
  recipe.mutable_kv()->set_bits(4);
  EXPECT_EQ(ReadKvFormat(recipe, violations), (KvFormat{4, KvKeys::kToken}));
  recipe.mutable_kv()->set_keys("channel");
  EXPECT_EQ(ReadKvFormat(recipe, violations), (KvFormat{4, KvKeys::kChannel}));
  EXPECT_TRUE(violations.empty());
  recipe.mutable_kv()->set_bits(3);
  recipe.mutable_kv()->set_keys("head");
  EXPECT_EQ(ReadKvFormat(recipe, violations), KvFormat());
  ASSERT_EQ(violations.size(), 2);
  EXPECT_EQ(violations[0].field, "kv.bits");
  EXPECT_EQ(violations[1].field, "kv.keys");
}

}  // namespace
}  // namespace tersor
