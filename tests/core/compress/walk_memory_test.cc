// What a walk takes of memory beside what was planned for it.
#include <random>
#include <string>

#include "core/base/peak_memory.h"
#include "core/compress/compress_model.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/core/compress/collecting_sink.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

v1::Recipe MakeRecipe(const std::string& stage) {
  v1::Recipe recipe;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stage, recipe.add_stages()->mutable_quantize())) << stage;
  return recipe;
}

class WalkMemoryTest : public ::testing::TestWithParam<const char*> {
 protected:
  // The code that a first walk brings into memory is the program's.
  static void SetUpTestSuite() {
    testing::ScratchFolder folder;
    Model model = *LoadModel(*testing::WriteTinyModel(folder.path() / "model", {}));
    testing::CollectingSink sink;
    ASSERT_TRUE(CompressModel(model, MakeRecipe("gptq {}"), {{1, 2, 3, 4}, {0, 4}}, {}, nullptr, sink, nullptr).ok());
  }
  WalkMemoryTest() {
    const testing::TinyModelOptions shape = {.layers = 2, .width = 256, .inner = 1024};
    model_ = *LoadModel(*testing::WriteTinyModel(folder_.path() / "model", shape));
    std::mt19937 random(1);
    for (int i = 0; i < 2048; ++i) calibration_.ids.push_back(random() % testing::kTinyVocabulary);
    calibration_.offsets = {0, 512, 1024, 1536, 2048};
  }

  testing::ScratchFolder folder_;
  Model model_;
  CalibrationTokens calibration_;
};

TEST_P(WalkMemoryTest, IsAtMostWhatWasPlannedAndNotFarBelow) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep what is freed";
#endif
  const v1::Recipe recipe = MakeRecipe(GetParam());
  const ComputeOptions compute = {.threads = 2};
  std::vector<FieldViolation> violations;
  const CompressionPlan plan = PlanCompression(model_, recipe, {2048, 512}, compute, violations);
  ASSERT_TRUE(violations.empty()) << violations[0].description;
  testing::CollectingSink sink;
  for (const auto& [name, parameter] : model_.parameters) parameter->ReleasePages();
  ReturnFreeMemory();
  if (!ResetPeakResidentBytes()) GTEST_SKIP() << "the kernel does not reset the peak";
  const int64_t before = PeakResidentBytes();
  const auto result = CompressModel(model_, recipe, calibration_, compute, nullptr, sink, nullptr);
  ASSERT_TRUE(result.ok()) << result.status();
  const int64_t actual = result->stages[0].peak_rss_bytes() - before;
  EXPECT_LE(actual, plan.stages[0].peak_memory_bytes());
  EXPECT_GE(3 * (actual + (int64_t{4} << 20)), plan.stages[0].peak_memory_bytes()) << actual;
}

INSTANTIATE_TEST_SUITE_P(Methods, WalkMemoryTest,
                         ::testing::Values("rtn {}", "rtn {} head { bits: 8 }", "gptq {}", "gptq { refine_rounds: 1 }",
                                           "gptq { dense_correction: 0.5 }", "awq {}", "smoothquant { fold: 'all' }",
                                           "outlier_suppression_plus {}", "bcq {}", "rptq {}", "owq {}", "spqr {}",
                                           "zeroquant_fp { lorc_rank: 4 }"));

}  // namespace
}  // namespace tersor
