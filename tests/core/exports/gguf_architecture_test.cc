// GGUF files of every architecture: what is written is read again as it was.
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/exports/export_registry.h"
#include "core/model/model_spec_json.h"
#include "core/model/special_tokens.h"
#include "core/tensor/float16.h"
#include "core/tokenizer/tokenizer.h"
#include "gmock/gmock.h"
#include "tests/core/model/architecture_models.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class GgufArchitectureTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    work_ = fs::path(::testing::TempDir()) / absl::StrCat("tersor_gguf_round_", getpid(), "_", GetParam());
    fs::create_directories(work_);
  }
  void TearDown() override { fs::remove_all(work_); }

  fs::path work_;
};

TEST_P(GgufArchitectureTest, ComesBackWithItsShapesAndWeights) {
  Model model = ArchitectureModel(GetParam(), 3);
  const absl::StatusOr<v1::ArtifactInfo> info = WriteExport("gguf:f16", model, {}, work_);
  ASSERT_TRUE(info.ok()) << info.status();
  absl::StatusOr<Model> read = LoadModel(work_ / info->path());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(SpecToJson(read->spec), SpecToJson(model.spec));
  ASSERT_EQ(read->parameters.size(), model.parameters.size());
  for (const auto& [name, tensor] : model.parameters) {
    const std::vector<float> expected = tensor->Decode();
    const std::vector<float> found = read->parameters.at(name)->Decode();
    ASSERT_EQ(found.size(), expected.size()) << name;
    const bool exact = tensor->shape().size() == 1 || name == kPositionsName;
    for (size_t i = 0; i < found.size(); ++i) {
      // Norms are stored plus one.
      const float wanted = exact ? expected[i] : F16ToFloat(FloatToF16(expected[i]));
      ASSERT_NEAR(found[i], wanted, exact ? 0x1p-23 : 0) << name << " " << i;
    }
  }
}

TEST_P(GgufArchitectureTest, ComesBackWithItsSpecialTokens) {
  Model model = ArchitectureModel(GetParam(), 3);
  model.spec.eos_ids = {2, 3};
  const absl::StatusOr<v1::ArtifactInfo> info = WriteExport("gguf:f16", model, {}, work_);
  ASSERT_TRUE(info.ok()) << info.status();
  const absl::StatusOr<Model> read = LoadModel(work_ / info->path());
  ASSERT_TRUE(read.ok()) << read.status();
  const auto special = [](const Model& of) {
    return *SpecialTokensOf(of.spec, of.assets, Tokenizer::FromJson(of.assets.tokenizer_json)->get());
  };
  const SpecialTokens expected = special(model);
  const SpecialTokens found = special(*read);
  EXPECT_EQ(found.bos.id, expected.bos.id);
  EXPECT_EQ(found.eos.id, expected.eos.id);
  EXPECT_EQ(found.ends, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(found.adds_bos(), expected.adds_bos());
  EXPECT_EQ(read->assets.add_bos, model.assets.add_bos);
  EXPECT_EQ(found.adds_bos(), model.assets.add_bos);
}

INSTANTIATE_TEST_SUITE_P(All, GgufArchitectureTest, ::testing::ValuesIn(ArchitectureModelNames()),
                         [](const auto& info) { return info.param; });

std::string Refusal(const Model& model) {
  const fs::path work = fs::path(::testing::TempDir()) / absl::StrCat("tersor_gguf_refused_", getpid());
  fs::create_directories(work);
  const absl::Status status = WriteExport("gguf:f16", model, {}, work).status();
  fs::remove_all(work);
  return std::string(status.message());
}

TEST(GgufArchitectureRefusalTest, WhatLlamaCppComputesOtherwiseIsNamed) {
  Model gemma = ArchitectureModel("gemma2", 1);
  for (LayerSpec& layer : gemma.spec.layers) layer.attention.score_scale *= 2;
  EXPECT_THAT(Refusal(gemma), HasSubstr("gemma2 with this query_pre_attn_scalar is not llama.cpp's"));
  gemma = ArchitectureModel("gemma2", 1);
  gemma.spec.logit_cap = 0;
  EXPECT_THAT(Refusal(gemma), HasSubstr("gemma2 without its soft caps"));
  Model gpt2 = ArchitectureModel("gpt2", 1);
  for (LayerSpec& layer : gpt2.spec.layers) layer.activation = Activation::kRelu;
  EXPECT_THAT(Refusal(gpt2), HasSubstr("gpt2 has the activation gelu_new in llama.cpp"));
  gemma = ArchitectureModel("gemma3", 1);
  // Two windows one after the other, then one alone: no period.
  gemma.spec.layers[3].attention.sliding_window = 0;
  gemma.spec.layers[3].rope = gemma.spec.layers[5].rope;
  EXPECT_THAT(Refusal(gemma), HasSubstr("GGUF cannot say which layers attend to a window only"));
}

TEST(GgufArchitectureRefusalTest, WhatLlamaCppLooksForInPhi3IsNamed) {
  Model phi3 = ArchitectureModel("phi3", 1);
  phi3.assets.tokenizer_json = ArchitectureModel("gemma2", 1).assets.tokenizer_json;
  EXPECT_THAT(Refusal(phi3), HasSubstr("no token <|endoftext|>, without which llama.cpp loads no model called"));
  phi3.spec.name = "Tiny-Phi-3-mini";
  EXPECT_THAT(Refusal(phi3), HasSubstr("called \"Tiny-Phi-3-mini\": rename"));
  phi3.spec.name = "phi";
  EXPECT_EQ(Refusal(phi3), "");
}

}  // namespace
}  // namespace tersor
