#include "core/evaluate/flops.h"

#include "absl/strings/match.h"
#include "core/model/model.h"
#include "gtest/gtest.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

ModelSpec OneBlock() {
  ModelSpec spec;
  spec.vocabulary = 100;
  spec.width = 8;
  LayerSpec layer;
  layer.attention.heads = 4;
  layer.attention.kv_heads = 2;
  layer.attention.head_size = 3;
  layer.inner_width = 16;
  spec.layers = {layer};
  return spec;
}

TEST(FlopsTest, EveryProductIsCountedTwice) {
  // q 8 x 12, k and v 8 x 6, o 12 x 8; gate, up and down 8 x 16; head 100 x 8.
  const double matrices = 2 * (96 + 2 * 48 + 96 + 3 * 128), head = 2 * 800;
  // Scores and values: 4 heads of 3, two products, each of two operations, over the positions seen.
  const double position = 4 * 12;
  const FlopsPerToken one = CountFlops(OneBlock(), 1);
  EXPECT_DOUBLE_EQ(one.prefill, matrices + position + head);
  EXPECT_DOUBLE_EQ(one.decode, matrices + 2 * position + head);
  const FlopsPerToken five = CountFlops(OneBlock(), 5);
  EXPECT_DOUBLE_EQ(five.prefill, matrices + 3 * position + head / 5);
  EXPECT_DOUBLE_EQ(five.decode, matrices + 6 * position + head);
}

TEST(FlopsTest, WithoutAGateThereAreTwoMatrices) {
  ModelSpec spec = OneBlock();
  const FlopsPerToken gated = CountFlops(spec, 5);
  spec.layers[0].gated = false;
  EXPECT_DOUBLE_EQ(CountFlops(spec, 5).prefill, gated.prefill - 2 * 128);
  EXPECT_DOUBLE_EQ(CountFlops(spec, 5).decode, gated.decode - 2 * 128);
}

// What is counted from shapes is what a model of them holds, whatever its family.
TEST(FlopsTest, AgreesWithTheParametersOfEveryFamily) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  for (const char* name : {"llama_tied", "qwen3", "phi3", "gemma2", "gemma3", "gpt2", "gpt_neox", "opt"}) {
    const auto model = LoadModel(*shared / "golden/tiny" / name);
    ASSERT_TRUE(model.ok()) << model.status();
    int64_t weights = 0;
    for (const auto& [parameter, tensor] : model->parameters) {
      if (absl::StartsWith(parameter, "model.layers.") && tensor->shape().size() == 2) weights += tensor->elements();
    }
    int64_t counted = 0;
    for (const LayerSpec& layer : model->spec.layers) counted += layer.LinearWeights(model->spec.width);
    EXPECT_EQ(counted, weights) << name;
  }
}

TEST(FlopsTest, AWindowBoundsWhatIsSeen) {
  ModelSpec spec = OneBlock();
  const double without = CountFlops(spec, 5).decode;
  spec.layers[0].attention.sliding_window = 2;
  EXPECT_DOUBLE_EQ(CountFlops(spec, 5).decode, without - 4 * 4 * 12);
  // 1, 2, 2, 2, 2 positions instead of 1 .. 5.
  EXPECT_NEAR(CountFlops(OneBlock(), 5).prefill - CountFlops(spec, 5).prefill, (3 - 1.8) * 4 * 12, 1e-9);
}

}  // namespace
}  // namespace tersor
