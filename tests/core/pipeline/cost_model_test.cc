#include "core/pipeline/cost_model.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

// SmolLM2-135M's shapes.
ModelSpec Spec() {
  ModelSpec spec;
  spec.vocabulary = 49152;
  spec.width = 576;
  spec.context_length = 8192;
  LayerSpec layer;
  layer.inner_width = 1536;
  layer.attention.heads = 9;
  layer.attention.kv_heads = 3;
  layer.attention.head_size = 64;
  spec.layers.assign(30, layer);
  return spec;
}

LoadedTask Task(v1::TaskScorer scorer, int items, size_t bytes) {
  LoadedTask task;
  task.definition.set_scorer(scorer);
  task.definition.mutable_generate()->set_max_tokens(64);
  for (int i = 0; i < items; ++i) {
    TaskItem item;
    item.prompts = {std::string(bytes, 'a')};
    item.continuations = {" answer"};
    task.items.push_back(item);
  }
  return task;
}

// All weights stay in memory while texts are generated, and each sequence has a cache of its own.
TEST(CostModelTest, GenerationKeepsWeightsAndCache) {
  const ModelSpec spec = Spec();
  constexpr int64_t kBlocks = int64_t{106168320} * 4, kPosition = 30 * 2 * 3 * 64 * 4;
  const auto extra = [&](int items, size_t bytes) {
    return TaskCost(spec, Task(v1::TASK_SCORER_GENERATE, items, bytes), 2).peak_bytes -
           TaskCost(spec, Task(v1::TASK_SCORER_CHOICES, items, bytes), 2).peak_bytes;
  };
  const int64_t one = extra(1, 300), thirty = extra(32, 300);
  EXPECT_GE(one, kBlocks + 164 * kPosition);
  EXPECT_GE(thirty - one, 31 * 164 * kPosition);
  // Only so many are decoded together, and the cache has a limit of its own.
  EXPECT_LT(extra(1000, 300), thirty + (int64_t{256} << 20));
  EXPECT_LT(extra(64, 20000), kBlocks + (int64_t{1} << 30));
}

// Without a gate a block has two matrices of its MLP, not three.
TEST(CostModelTest, ABlockWithoutAGateCostsLess) {
  const ModelSpec gated = Spec();
  ModelSpec plain = gated;
  for (LayerSpec& layer : plain.layers) layer.gated = false;
  constexpr double kMatrix = 576.0 * 1536, kLayers = 30;
  EXPECT_DOUBLE_EQ(BlockFlopsPerToken(gated, 512) - BlockFlopsPerToken(plain, 512), kLayers * 2 * kMatrix);
  const auto generation = [](const ModelSpec& spec) {
    return TaskCost(spec, Task(v1::TASK_SCORER_GENERATE, 1, 300), 2).peak_bytes -
           TaskCost(spec, Task(v1::TASK_SCORER_CHOICES, 1, 300), 2).peak_bytes;
  };
  EXPECT_GE(generation(gated) - generation(plain), static_cast<int64_t>(kLayers * kMatrix) * 4);
  EXPECT_LT(ScoringCost(plain, 4096, 4096, 2048, 1, 2).seconds, ScoringCost(gated, 4096, 4096, 2048, 1, 2).seconds);
  EXPECT_LT(ScoringCost(plain, 4096, 4096, 2048, 1, 2).peak_bytes,
            ScoringCost(gated, 4096, 4096, 2048, 1, 2).peak_bytes);
}

}  // namespace
}  // namespace tersor
