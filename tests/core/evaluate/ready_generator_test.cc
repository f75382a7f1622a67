#include "core/evaluate/ready_generator.h"

#include "absl/strings/match.h"
#include "core/encoding/group_int_tensor.h"
#include "core/evaluate/weight_memory.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

class ReadyGeneratorTest : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers take memory of their own for every byte";
#endif
    // Large enough that weights outweigh what else a process allocates: 17 million parameters.
    const testing::TinyModelOptions large = {.layers = 4, .width = 512, .inner = 2048};
    ASSERT_TRUE(testing::WriteTinyModel(folder_.path(), large).ok());
    absl::StatusOr<Model> model = LoadModel(folder_.path());
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
  }

  // Panels are padded, slabs rounded up to large pages.
  static void ExpectAgreement(const ReadyGenerator& ready) {
    const auto computed = static_cast<double>(ready.weight_bytes - ready.mapped_bytes);
    EXPECT_GT(ready.mapped_bytes, 0);
    EXPECT_NEAR(static_cast<double>(ready.resident_bytes), computed, 0.1 * computed + 4e6);
  }

  testing::ScratchFolder folder_;
  Model model_;
};

TEST_F(ReadyGeneratorTest, MemoryComputedAndMeasuredAgreeOnFloats) {
  const auto ready = MakeReady(model_, {});
  ASSERT_TRUE(ready.ok()) << ready.status();
  EXPECT_EQ(ready->weight_bytes, *WeightMemory(model_, {}));
  EXPECT_GT(ready->weight_bytes, 60'000'000);
  ExpectAgreement(*ready);
  EXPECT_TRUE(ready->generator->TimePrefill(4).ok());
}

TEST_F(ReadyGeneratorTest, MemoryComputedAndMeasuredAgreeOnFourBits) {
  for (auto& [name, tensor] : model_.parameters) {
    if (!absl::StrContains(name, "_proj.weight")) continue;
    const int64_t rows = tensor->shape()[0], columns = tensor->shape()[1], groups = rows * columns / 64;
    tensor =
        *GroupIntTensor::Create({.rows = rows, .columns = columns, .bits = 4, .group_size = 64},
                                std::vector<uint8_t>(rows * columns, 3), std::vector<uint16_t>(groups, 0x3C00), {});
  }
  const auto ready = MakeReady(model_, {.linears = LinearCompute::kEncodedInt8});
  ASSERT_TRUE(ready.ok()) << ready.status();
  // 4.25 bits a weight against 32.
  EXPECT_LT(ready->weight_bytes, 12'000'000);
  ExpectAgreement(*ready);
}

}  // namespace
}  // namespace tersor
