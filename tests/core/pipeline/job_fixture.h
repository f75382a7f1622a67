// A tiny model, texts and a recipe in a temporary folder.
#ifndef TERSOR_TESTS_CORE_PIPELINE_JOB_FIXTURE_H_
#define TERSOR_TESTS_CORE_PIPELINE_JOB_FIXTURE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/pipeline/pipeline.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/testing/tiny_model.h"

namespace tersor {

class RecordingSink : public EventSink {
 public:
  void Emit(const v1::Event& event) override { events.push_back(event); }
  std::vector<v1::Event> events;
};

class JobFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / (std::string(info->test_suite_name()) + info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "data" / "text");
    ASSERT_TRUE(testing::WriteTinyModel(folder_ / "model").ok());
    std::string text;
    for (int i = 0; i < 400; ++i) text += "The quick brown fox number " + std::to_string(i * i) + " jumps. ";
    ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "text" / "foxes.txt", text).ok());
    context_.data_paths = {folder_ / "data"};
    context_.cache_dir = folder_ / "cache";
    recipe_ = ParseRecipe(R"pb(
      calibration { dataset: "foxes" samples: 4 tokens: 64 }
      stages { quantize { gptq { bits: 4 group_size: 32 } } }
      evaluate { perplexity { dataset: "foxes" window: 64 max_windows: 4 } }
      gates: "size_ratio >= 1.01"
    )pb");
    recipe_.set_model((folder_ / "model").string());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static v1::Recipe ParseRecipe(const std::string& text) {
    v1::Recipe recipe;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &recipe));
    return recipe;
  }

  RunOptions Options(const std::string& workspace) const {
    return {.job_id = "test", .workspace = folder_ / workspace, .context = context_};
  }

  std::filesystem::path folder_;
  PipelineContext context_;
  v1::Recipe recipe_;
};

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_PIPELINE_JOB_FIXTURE_H_
