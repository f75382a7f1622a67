#include "core/evaluate/size.h"

#include "core/encoding/dense_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/evaluate/weight_memory.h"
#include "core/kernels/cpu_info.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

constexpr char kDown[] = "model.layers.0.mlp.down_proj.weight";

EncodedTensorPtr Floats(Shape shape) {
  std::vector<float> values(ElementCount(shape), 1.0f);
  return *DenseTensor::FromFloats(std::move(shape), std::move(values));
}

// 2000 parameters in the tied embedding, 800 in one block's matrix, 20 in its norm.
Model Dense() {
  Model model;
  model.spec.tied = true;
  model.source.weight_bytes = 5678;
  model.parameters[std::string(kEmbeddingName)] = Floats({100, 20});
  model.parameters[kDown] = Floats({40, 20});
  model.parameters["model.layers.0.input_layernorm.weight"] = Floats({20});
  return model;
}

// 4-bit codes in 400 bytes, two F16 scales a row in 160.
Model Compressed() {
  Model model = Dense();
  model.parameters[kDown] =
      *GroupIntTensor::Create({.rows = 40, .columns = 20, .bits = 4, .group_size = 10}, std::vector<uint8_t>(800, 3),
                              std::vector<uint16_t>(80, 0x3C00), {});
  return model;
}

TEST(MeasureSizeTest, RatiosAndTrueBits) {
  const std::string layers[] = {"model.layers.0.mlp.down_proj"};
  const auto size = MeasureSize(Dense(), Compressed(), 2820, layers);
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(size->dense_bytes(), 2 * 2820);
  EXPECT_EQ(size->artifact_bytes(), 2820);
  EXPECT_DOUBLE_EQ(size->ratio(), 2);
  // The block's norm stays at 32 bits: 80 bytes.
  EXPECT_DOUBLE_EQ(size->blocks_ratio(), 2.0 * 820 / (560 + 80));
  EXPECT_EQ(size->source_bytes(), 5678);
  EXPECT_DOUBLE_EQ(size->true_bits(), 5.6);
}

TEST(MeasureSizeTest, WithoutNamesAllMatricesOfTheBlocksCount) {
  EXPECT_DOUBLE_EQ(MeasureSize(Dense(), Compressed(), 1, {})->true_bits(), 5.6);
  EXPECT_DOUBLE_EQ(MeasureSize(Dense(), Dense(), 1, {})->true_bits(), 32);
}

// Tables as they are stored, a tied head and matrices without a kernel decoded, matrices with one encoded.
TEST(WeightMemoryTest, CountsWhatGenerationKeeps) {
  constexpr int64_t kEmbedding = 4 * 2000, kHead = 4 * 2000, kNorm = 4 * 20;
  EXPECT_EQ(*WeightMemory(Dense(), {}), kEmbedding + kHead + kNorm + 4 * 800);
  EXPECT_EQ(*WeightMemory(Compressed(), {}), kEmbedding + kHead + kNorm + 4 * 800);
  const auto bf16 = WeightMemory(Dense(), {.precision = Precision::kBF16});
  if (CheckBF16Support().ok()) {
    EXPECT_EQ(*bf16, kEmbedding + kHead / 2 + kNorm + 2 * 800);
  }
  v1::SizeResult size;
  Model encoded = Dense();
  encoded.parameters[kDown] =
      *GroupIntTensor::Create({.rows = 40, .columns = 64, .bits = 4, .group_size = 32}, std::vector<uint8_t>(2560, 3),
                              std::vector<uint16_t>(80, 0x3C00), {});
  ASSERT_TRUE(AddMemory(Dense(), encoded, {.linears = LinearCompute::kEncodedInt8}, size).ok());
  // 40 x 64 codes of 4 bits and two scales a row.
  EXPECT_EQ(size.memory_bytes(), kEmbedding + kHead + kNorm + 1280 + 160);
  EXPECT_EQ(size.dense_memory_bytes(), kEmbedding + kHead + kNorm + 4 * 800);
  EXPECT_EQ(size.dense_parameters(), 2820);
  EXPECT_EQ(size.parameters(), 2020 + 2560);
}

// One layout for single rows, another for many; without the first where everything is to be decoded, which W8A8 is not.
TEST(WeightMemoryTest, Int8WeightsWithInt8InputsAreKeptInBothLayouts) {
  Model model = Dense();
  const EncodedTensorPtr codes =
      *GroupIntTensor::Create({.rows = 40, .columns = 64, .bits = 8, .group_size = 64}, std::vector<uint8_t>(2560, 3),
                              std::vector<uint16_t>(40, 0x3C00), {});
  model.parameters[kDown] = *InputFormatTensor::Create(codes, *IntTokenFormat::Create(64, {}));
  const int64_t others = *WeightMemory(Dense(), {}) - 4 * 800, stored = 2560 + 80;
  EXPECT_EQ(*WeightMemory(model, {.linears = LinearCompute::kEncodedInt8}), others + 2 * stored);
  EXPECT_EQ(*WeightMemory(model, {.linears = LinearCompute::kDecoded}), others + stored);
}

// A head of its own adds to the artifact, not to what it is compared with.
TEST(MeasureSizeTest, AnUntiedHeadIsNotCountedAsDense) {
  Model untied = Compressed();
  untied.spec.tied = false;
  untied.parameters[std::string(kHeadName)] = Floats({100, 20});
  EXPECT_EQ(MeasureSize(Dense(), untied, 2820, {})->dense_bytes(), 2 * 2820);
}

TEST(MeasureSizeTest, FaultsAreNamed) {
  const std::string layers[] = {"model.layers.7.mlp.down_proj"};
  const absl::Status missing = MeasureSize(Dense(), Compressed(), 1, layers).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("model.layers.7.mlp.down_proj"));
  EXPECT_EQ(MeasureSize(Dense(), Compressed(), 0, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
