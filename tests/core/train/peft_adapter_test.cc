#include "core/train/peft_adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/atomic_file.h"
#include "core/formats/safetensors.h"
#include "core/train/trained_model.h"
#include "nlohmann/json.hpp"
#include "tests/core/model/synthetic_model.h"
#include "tests/testing/paths.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<TrainedModel> Adapted(const Model& model, const LoraOptions& lora) {
  TrainedModelOptions options;
  options.train_weights = false;
  options.lora = lora;
  auto trained = TrainedModel::Create(model, options);
  EXPECT_TRUE(trained.ok()) << trained.status();
  return *std::move(trained);
}

void Fill(TrainedModel& trained) {
  float value = 0;
  for (auto& [name, parameter] : trained.parameters()) {
    if (!parameter.trained()) continue;
    for (float& factor : parameter.values) factor = std::sin(value += 0.37f);
  }
}

class PeftAdapterTest : public ::testing::Test {
 protected:
  void Replace(const std::string& from, const std::string& to) {
    std::string text = *ReadFile(Config());
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_TRUE(WriteFileAtomically(Config(), text.replace(at, from.size(), to)).ok());
  }
  std::filesystem::path Config() const { return folder() / "adapter_config.json"; }
  std::filesystem::path folder() const { return scratch_.path() / "adapter"; }

  const Model model_ = SyntheticModel(SmallSpec(), 1);
  const LoraOptions options_ = {3, 8, true, 5};
  const testing::ScratchFolder scratch_;
};

TEST_F(PeftAdapterTest, ReadsWhatItWrites) {
  const auto written = Adapted(model_, options_), read = Adapted(model_, options_);
  Fill(*written);
  ASSERT_TRUE(WritePeftAdapter(folder(), options_, written->adapters(), "base").ok());
  const auto options = ReadPeftOptions(folder());
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->rank, 3);
  EXPECT_EQ(options->scale(), options_.scale());
  const absl::Status status = ReadPeftFactors(folder(), read->adapters());
  ASSERT_TRUE(status.ok()) << status;
  for (const auto& [name, parameter] : written->parameters()) {
    EXPECT_EQ(read->parameters().at(name).values, parameter.values) << name;
  }
}

// Layers that a file joins have one adapter, their rows where the file has them.
TEST_F(PeftAdapterTest, JoinedModulesHaveOneAdapter) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << "no folder of golden data (TERSOR_SHARED)";
  for (const char* name : {"gpt2", "gpt_neox", "phi3"}) {
    const auto model = LoadModel(*shared / "golden" / "tiny" / name);
    ASSERT_TRUE(model.ok()) << model.status();
    const LoraOptions lora = {4, 8};
    const auto written = Adapted(*model, lora), read = Adapted(*model, lora);
    EXPECT_LT(written->adapters().size(), 6 * model->spec.layers.size()) << name;
    Fill(*written);
    const std::filesystem::path folder = scratch_.path() / name;
    ASSERT_TRUE(WritePeftAdapter(folder, lora, written->adapters(), name).ok());
    const auto file = ReadSafetensors(folder / "adapter_model.safetensors");
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(file->tensors.size(), 2 * written->adapters().size());
    ASSERT_TRUE(ReadPeftFactors(folder, read->adapters()).ok());
    for (const auto& [parameter_name, parameter] : written->parameters()) {
      EXPECT_EQ(read->parameters().at(parameter_name).values, parameter.values) << parameter_name;
    }
  }
}

TEST_F(PeftAdapterTest, RefusesWhatIsNotPlainLora) {
  const auto trained = Adapted(model_, options_);
  ASSERT_TRUE(WritePeftAdapter(folder(), options_, trained->adapters(), "base").ok());
  Replace("\"use_dora\": false", "\"use_dora\": true");
  EXPECT_EQ(ReadPeftOptions(folder()).status().code(), absl::StatusCode::kUnimplemented);
  Replace("\"use_dora\": true", "\"rank_pattern\": {\"q_proj\": 2}");
  EXPECT_THAT(ReadPeftOptions(folder()).status().message(), HasSubstr("rank_pattern"));
  Replace("\"rank_pattern\": {\"q_proj\": 2}", "\"rank_pattern\": {}");
  EXPECT_TRUE(ReadPeftOptions(folder()).ok());
  Replace("LORA", "IA3");
  EXPECT_THAT(ReadPeftOptions(folder()).status().message(), HasSubstr("IA3"));
  Replace("IA3", "LORA");
  Replace("\"r\": 3", "\"r\": \"three\"");
  EXPECT_EQ(ReadPeftOptions(folder()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(ReadPeftOptions(scratch_.path() / "none").ok());
}

TEST_F(PeftAdapterTest, NamesTheTensorThatDoesNotFit) {
  const auto trained = Adapted(model_, options_), wider = Adapted(model_, {2, 8});
  ASSERT_TRUE(WritePeftAdapter(folder(), options_, trained->adapters(), "base").ok());
  EXPECT_THAT(ReadPeftFactors(folder(), wider->adapters()).message(), HasSubstr("has shape"));
  const std::span<const Adapter> all = trained->adapters();
  EXPECT_THAT(ReadPeftFactors(folder(), all.subspan(1)).message(), HasSubstr("belongs to no linear layer"));
  ASSERT_TRUE(WritePeftAdapter(folder(), options_, all.subspan(1), "base").ok());
  EXPECT_EQ(ReadPeftFactors(folder(), all).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tersor
