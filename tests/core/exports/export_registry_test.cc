// Every export of the tiny model, written, verified and read again; and every reason to refuse one before it is
// written.
#include "core/exports/export_registry.h"

#include <cmath>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/exports/load_commands.h"
#include "core/formats/gguf_reader.h"
#include "core/formats/safetensors.h"
#include "core/model/config_json.h"
#include "core/model/model_spec_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/core/exports/quantized_model.h"
#include "tests/testing/paths.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr char kLayer[] = "model.layers.0.mlp.down_proj.weight";

class ExportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) /
            absl::StrCat("export-", ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(artifacts_ = root_ / "artifacts");
  }
  void TearDown() override { fs::remove_all(root_); }

  Model Tiny(const testing::TinyModelOptions& options = {}) {
    absl::StatusOr<fs::path> folder = testing::WriteTinyModel(root_ / "source", options);
    EXPECT_TRUE(folder.ok()) << folder.status();
    absl::StatusOr<Model> model = LoadModel(*folder);
    EXPECT_TRUE(model.ok()) << model.status();
    return *std::move(model);
  }
  Model Quantized(int bits, int64_t group_size, bool symmetric, bool tied = true) {
    Model model = Tiny({.tied = tied});
    QuantizeBlocks(model, bits, group_size, symmetric);
    return model;
  }
  v1::ArtifactInfo Write(absl::string_view format, const Model& model) {
    absl::StatusOr<v1::ArtifactInfo> info = WriteExport(format, model, report_, artifacts_);
    EXPECT_TRUE(info.ok()) << info.status();
    return info.ok() ? *info : v1::ArtifactInfo();
  }
  std::string Refusal(absl::string_view format, const Model& model) {
    const auto before = std::distance(fs::directory_iterator(artifacts_), fs::directory_iterator());
    const absl::Status plan = PlanExport(format, model, {}).status();
    EXPECT_EQ(plan.code(), absl::StatusCode::kInvalidArgument) << plan;
    const absl::Status write = WriteExport(format, model, report_, artifacts_).status();
    EXPECT_EQ(write, plan);
    EXPECT_EQ(std::distance(fs::directory_iterator(artifacts_), fs::directory_iterator()), before);
    return std::string(plan.message());
  }

  fs::path root_;
  fs::path artifacts_;
  v1::Report report_;
};

void ExpectSameValues(const Model& expected, const Model& found) {
  for (const auto& [name, tensor] : expected.parameters) {
    EXPECT_EQ(found.parameters.at(name)->Decode(), tensor->Decode()) << name;
  }
}

// The page for users and the recipe's field name every format of the registry.
TEST(ExportNamesTest, EveryFormatIsDocumented) {
  const fs::path root = testing::FixturesPath().parent_path().parent_path();
  const auto page = ReadFile(root / "docs/exports.md"), recipe = ReadFile(root / "proto/tersor/v1/recipe.proto");
  ASSERT_TRUE(page.ok() && recipe.ok());
  for (const std::string& name : ExportNames()) {
    EXPECT_THAT(*page, HasSubstr(absl::StrCat("`", name, "`")));
    // There "gguf:q4_0" is spelled as "gguf:" and q4_0.
    const size_t colon = name.find(':');
    EXPECT_THAT(*recipe, HasSubstr(name.substr(0, colon)));
    EXPECT_THAT(*recipe, HasSubstr(colon == std::string::npos ? name : name.substr(colon + 1)));
  }
}

TEST_F(ExportTest, UnknownFormatListsTheKnownOnes) {
  const Model model = Tiny();
  const absl::Status status = PlanExport("gguf:q5_0", model, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("\"gguf:q5_0\""), HasSubstr("gguf:q4_0"), HasSubstr("safetensors")));
  EXPECT_THAT(ExportNames(), Contains("compressed-tensors"));
}

TEST_F(ExportTest, CodesBecomeQ4_0BlocksUnchanged) {
  for (const int bits : {2, 3, 4}) {
    const Model model = Quantized(bits, 64, /*symmetric=*/true);
    const v1::ArtifactInfo info = Write("gguf:q4_0", model);
    EXPECT_EQ(info.path(), "model-q4_0.gguf");
    EXPECT_THAT(info.verification(), AllOf(HasSubstr("14 Q4_0"), HasSubstr("the tokenizer encodes alike")));
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / info.path());
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->parameters.at(kLayer)->Decode(), model.parameters.at(kLayer)->Decode());
    EXPECT_EQ(found->parameters.at("model.layers.1.self_attn.q_proj.weight")->Decode(),
              model.parameters.at("model.layers.1.self_attn.q_proj.weight")->Decode());
  }
}

TEST_F(ExportTest, OffsetsBecomeQ4_1ButForTheRoundedMinimum) {
  const Model model = Quantized(4, 32, /*symmetric=*/false);
  EXPECT_THAT(Write("gguf:q4_1", model).verification(), AllOf(HasSubstr("14 Q4_1"), HasSubstr("differ by rounding")));
  // Without an offset the minimum is -8 scales, which F16 holds.
  const Model symmetric = Quantized(4, 32, /*symmetric=*/true);
  Write("gguf:q4_1", symmetric);
  const absl::StatusOr<Model> found = LoadModel(artifacts_ / "model-q4_1.gguf");
  EXPECT_EQ(found->parameters.at(kLayer)->Decode(), symmetric.parameters.at(kLayer)->Decode());
}

TEST_F(ExportTest, EightBitsBecomeQ8_0Unchanged) {
  const Model model = Quantized(8, 32, /*symmetric=*/true);
  Write("gguf:q8_0", model);
  const absl::StatusOr<Model> found = LoadModel(artifacts_ / "model-q8_0.gguf");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->parameters.at(kLayer)->Decode(), model.parameters.at(kLayer)->Decode());
  // Offsets of up to 7 bits fit as well.
  const Model offset = Quantized(7, 32, /*symmetric=*/false);
  Write("gguf:q8_0", offset);
  EXPECT_EQ(LoadModel(artifacts_ / "model-q8_0.gguf")->parameters.at(kLayer)->Decode(),
            offset.parameters.at(kLayer)->Decode());
}

TEST_F(ExportTest, UncompressedModelBecomesF16AndQ8_0WithTheDifferenceStated) {
  const Model model = Tiny({.tied = false});
  EXPECT_THAT(Write("gguf:f16", model).verification(), AllOf(HasSubstr("16 F16"), HasSubstr("differ by rounding")));
  EXPECT_THAT(Write("gguf:q8_0", model).verification(), AllOf(HasSubstr("16 Q8_0"), HasSubstr("differ by rounding")));
  const absl::StatusOr<GgufFile> file = ReadGguf(artifacts_ / "model-f16.gguf");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(*file->metadata.String("general.architecture"), "llama");
  EXPECT_EQ(*file->metadata.Integer("general.file_type"), 1);
  EXPECT_EQ(*file->metadata.String("tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(*file->metadata.Integer("tokenizer.ggml.eos_token_id"), testing::kTinyEosId);
  EXPECT_EQ(file->metadata.Strings("tokenizer.ggml.tokens")->size(), testing::kTinyVocabulary);
}

TEST_F(ExportTest, BlocksOfASourceFileAreCopied) {
  Model quantized = Quantized(4, 32, /*symmetric=*/false);
  quantized.parameters["model.embed_tokens.weight"] =
      RoundToGroups(*quantized.parameters["model.embed_tokens.weight"], 8, 32, true);
  Write("gguf:q4_1", quantized);
  const absl::StatusOr<Model> source = LoadModel(artifacts_ / "model-q4_1.gguf");
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->parameters.at("model.embed_tokens.weight")->encoding(), "gguf-block");
  const std::string first = *ReadFile(artifacts_ / "model-q4_1.gguf");
  const v1::ArtifactInfo info = Write("gguf:q4_1", *source);
  EXPECT_THAT(info.verification(), AllOf(HasSubstr("14 Q4_1"), HasSubstr("1 Q8_0"), Not(HasSubstr("rounding"))));
  ExpectSameValues(*source, *LoadModel(artifacts_ / "model-q4_1.gguf"));
}

TEST_F(ExportTest, PackedFolderHoldsCodesAndScalesUnchanged) {
  for (const bool symmetric : {true, false}) {
    for (const int bits : {4, 8}) {
      const Model model = Quantized(bits, 32, symmetric);
      const v1::ArtifactInfo info = Write("compressed-tensors", model);
      EXPECT_EQ(info.path(), "compressed-tensors");
      const fs::path folder = artifacts_ / "compressed-tensors";
      const Json config = Json::parse(*ReadFile(folder / "config.json"))["quantization_config"];
      const Json& group = config["config_groups"]["group_0"];
      EXPECT_EQ(config["quant_method"], "compressed-tensors");
      EXPECT_EQ(config["ignore"], Json::array({"lm_head"}));
      EXPECT_EQ(group["targets"], Json::array({"Linear"}));
      EXPECT_EQ(group["weights"]["num_bits"], bits);
      EXPECT_EQ(group["weights"]["symmetric"], symmetric);
      const absl::StatusOr<Safetensors> weights = ReadSafetensors(folder / "model.safetensors");
      ASSERT_TRUE(weights.ok()) << weights.status();
      EXPECT_EQ(weights->tensors.count("model.layers.0.mlp.down_proj.weight_packed"), 1);
      EXPECT_EQ(weights->tensors.count("model.layers.0.mlp.down_proj.weight_zero_point"), symmetric ? 0 : 1);
      EXPECT_EQ(weights->tensors.at("model.embed_tokens.weight").dtype(), DType::kF16);
      EXPECT_EQ(weights->metadata.at("format"), "pt");
    }
  }
}

TEST_F(ExportTest, MixedSchemesAndAnUntiedHeadAreGroupsOfTheirOwn) {
  Model model = Quantized(4, 64, /*symmetric=*/true, /*tied=*/false);
  model.parameters["lm_head.weight"] = RoundToGroups(*model.parameters["lm_head.weight"], 8, 32, true);
  model.parameters["model.layers.0.mlp.up_proj.weight"] =
      RoundToGroups(*model.parameters["model.layers.0.mlp.up_proj.weight"], 8, 32, true);
  // Left as it was.
  const Model source = Tiny({.tied = false});
  model.parameters[kLayer] = source.parameters.at(kLayer);
  Write("compressed-tensors", model);
  const Json config = Json::parse(*ReadFile(artifacts_ / "compressed-tensors" / "config.json"))["quantization_config"];
  EXPECT_EQ(config["ignore"], Json::array({"model.layers.0.mlp.down_proj"}));
  ASSERT_EQ(config["config_groups"].size(), 2);
  EXPECT_EQ(config["config_groups"]["group_1"]["targets"], Json::array({"lm_head", "model.layers.0.mlp.up_proj"}));
}

TEST_F(ExportTest, OneScaleARowIsTheStrategyChannel) {
  Model model = Tiny();
  for (auto& [name, tensor] : model.parameters) {
    if (absl::EndsWith(name, "_proj.weight")) tensor = RoundToGroups(*tensor, 8, tensor->columns(), true);
  }
  Write("compressed-tensors", model);
  const Json config = Json::parse(*ReadFile(artifacts_ / "compressed-tensors" / "config.json"));
  const Json& weights = config["quantization_config"]["config_groups"]["group_0"]["weights"];
  EXPECT_EQ(weights["strategy"], "channel");
  EXPECT_TRUE(weights["group_size"].is_null());
}

TEST_F(ExportTest, DenseFolderTakesTheTypeThatIsExact) {
  for (const DType dtype : {DType::kBF16, DType::kF16, DType::kF32}) {
    const Model model = Tiny({.dtype = dtype});
    const v1::ArtifactInfo info = Write("safetensors", model);
    EXPECT_THAT(info.verification(), AllOf(HasSubstr(std::string(DTypeName(dtype))), Not(HasSubstr("rounding"))));
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / "safetensors");
    ASSERT_TRUE(found.ok()) << found.status();
    ExpectSameValues(model, *found);
  }
  const Model quantized = Quantized(4, 32, /*symmetric=*/false);
  EXPECT_THAT(Write("safetensors", quantized).verification(), AllOf(HasSubstr("F16"), HasSubstr("rounding")));
  EXPECT_THAT(Write("safetensors:f32", quantized).verification(), Not(HasSubstr("rounding")));
  ExpectSameValues(quantized, *LoadModel(artifacts_ / "safetensors-f32"));
  EXPECT_THAT(Write("safetensors:bf16", quantized).verification(), HasSubstr("BF16"));
}

TEST_F(ExportTest, FoldersCarryTheFilesBesideTheWeights) {
  const Model model = Quantized(4, 32, /*symmetric=*/true);
  v1::PerplexityResult* perplexity = report_.add_perplexity();
  perplexity->set_subject("compressed");
  perplexity->set_dataset("some_text");
  perplexity->set_value(12.345);
  report_.mutable_recipe()->add_stages()->mutable_quantize()->mutable_gptq()->set_bits(4);
  const v1::ArtifactInfo info = Write("compressed-tensors", model);
  const fs::path folder = artifacts_ / "compressed-tensors";
  EXPECT_EQ(*ReadFile(folder / "tokenizer.json"), model.assets.tokenizer_json);
  EXPECT_EQ(*ReadFile(folder / "LICENSE"), model.assets.licence_text);
  EXPECT_TRUE(fs::exists(folder / "generation_config.json"));
  EXPECT_TRUE(Json::parse(*ReadFile(folder / "tokenizer_config.json")).contains("chat_template"));
  EXPECT_THAT(*ReadFile(folder / "README.md"),
              AllOf(HasSubstr("12.345"), HasSubstr("gptq bits 4"), HasSubstr("vllm serve"), HasSubstr("some_text")));
  EXPECT_EQ(info.files_size(), std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  const absl::StatusOr<ExportPlan> plan = PlanExport("compressed-tensors", model, {});
  EXPECT_GE(plan->bytes, info.bytes());
  // Nothing temporary stays.
  EXPECT_EQ(std::distance(fs::directory_iterator(artifacts_), fs::directory_iterator()), 1);
}

TEST_F(ExportTest, PlansAreUpperBounds) {
  const Model model = Quantized(4, 32, /*symmetric=*/true);
  for (const std::string& format : ExportNames()) {
    const absl::StatusOr<ExportPlan> plan = PlanExport(format, model, {});
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_GE(plan->bytes, Write(format, model).bytes()) << format;
    EXPECT_FALSE(plan->detail.empty());
  }
}

TEST_F(ExportTest, WhatAFormatCannotHoldIsRefusedByName) {
  Model nf4 = Quantized(4, 32, true);
  for (auto& [name, tensor] : nf4.parameters) {
    if (absl::EndsWith(name, "_proj.weight")) tensor = RoundToBook(*tensor, Nf4Book(), 32, ScaleForm::kF16);
  }
  EXPECT_THAT(Refusal("compressed-tensors", nf4),
              AllOf(HasSubstr("no words for the code book nf4"), HasSubstr("model.layers.0"), HasSubstr("10 more")));
  EXPECT_THAT(Refusal("compressed-tensors", Tiny()), HasSubstr("no linear layer is quantized"));
  EXPECT_THAT(Refusal("gguf:q4_0", Quantized(4, 16, true)), HasSubstr("multiple of 32"));
  EXPECT_THAT(Refusal("gguf:q4_0", Quantized(4, 32, false)), HasSubstr("export to gguf:q4_1"));
  EXPECT_THAT(Refusal("gguf:q4_0", Quantized(5, 32, true)), HasSubstr("gguf:q8_0"));
  EXPECT_THAT(Refusal("gguf:q4_1", Quantized(8, 32, true)), HasSubstr("at most 4 bits"));
  EXPECT_THAT(Refusal("gguf:q8_0", Quantized(8, 32, false)), HasSubstr("Quantize symmetrically"));
  EXPECT_THAT(Refusal("gguf:q4_0", Tiny()), HasSubstr("no linear layer is on a grid"));
  Model without_tokenizer = Tiny();
  without_tokenizer.assets.tokenizer_json.clear();
  EXPECT_THAT(Refusal("gguf:f16", without_tokenizer), HasSubstr("no tokenizer.json"));
}

TEST_F(ExportTest, PlannedEncodingsAreCheckedBeforeAnythingRan) {
  const Model model = Tiny();
  PlannedEncodings encodings;
  for (const auto& [name, tensor] : model.parameters) {
    if (absl::EndsWith(name, "_proj.weight")) encodings[name] = {.encoding = "group-int", .bits = 3, .group_size = 32};
  }
  EXPECT_THAT(PlanExport("gptq", model, {}).status().message(), HasSubstr("no linear layer is quantized"));
  EXPECT_TRUE(PlanExport("compressed-tensors", model, encodings).ok());
  // What a format cannot say of inputs is refused: LLM.int8()'s outliers.
  for (auto& [name, encoding] : encodings) {
    encoding.input_format = "int-token";
    encoding.input_parameters = IntTokenFormat::Create(32, {})->get()->Parameters().dump();
  }
  EXPECT_THAT(PlanExport("compressed-tensors", model, encodings)->detail, HasSubstr("int-quantized"));
  for (auto& [name, encoding] : encodings) {
    encoding.input_parameters = IntTokenFormat::Create(32, {.outlier_threshold = 6})->get()->Parameters().dump();
  }
  EXPECT_THAT(PlanExport("compressed-tensors", model, encodings).status().message(), HasSubstr("inputs are quantized"));
  for (auto& [name, encoding] : encodings) encoding.input_format = encoding.input_parameters = "";
  EXPECT_TRUE(PlanExport("gguf:q4_0", model, encodings).ok());
  encodings["lm_head.weight"] = {.encoding = "group-int", .bits = 8, .group_size = 32};
  EXPECT_THAT(PlanExport("gguf:q4_0", model, encodings)->detail, HasSubstr("1 Q8_0"));
  for (auto& [name, encoding] : encodings) encoding.group_size = -1;
  EXPECT_TRUE(PlanExport("gguf:q4_0", model, encodings).ok());
  encodings["model.layers.7.mlp.up_proj.weight"] = {.encoding = "group-int", .bits = 4, .group_size = 32};
  EXPECT_THAT(PlanExport("gguf:q4_0", model, encodings).status().message(), HasSubstr("no parameter"));
}

TEST_F(ExportTest, LoadCommandsNameTheFiles) {
  v1::ArtifactInfo info;
  info.set_name("gguf:q4_0");
  info.set_path("model-q4_0.gguf");
  const auto gguf = LoadCommands(info, "/jobs/it's here");
  ASSERT_EQ(gguf.size(), 1);
  EXPECT_EQ(gguf[0].program(), "llama.cpp");
  EXPECT_THAT(gguf[0].command(), HasSubstr("'/jobs/it'\\''s here/model-q4_0.gguf'"));
  info.set_name("compressed-tensors");
  info.set_path("compressed-tensors");
  const auto folder = LoadCommands(info, "/jobs/a");
  ASSERT_EQ(folder.size(), 2);
  EXPECT_THAT(folder[0].command(), HasSubstr("/jobs/a/compressed-tensors"));
  EXPECT_EQ(folder[1].command(), "vllm serve /jobs/a/compressed-tensors");
  info.set_name("tersor");
  EXPECT_TRUE(LoadCommands(info, "/jobs/a").empty());
}

// One set of integer codes goes into every format that can hold it.
TEST_F(ExportTest, TheSameCodesInEveryFormat) {
  const Model model = Quantized(4, 32, /*symmetric=*/true, /*tied=*/false);
  const std::vector<float> expected = (*model.Find(kLayer))->Decode();
  for (const char* format : {"compressed-tensors", "gptq", "gptq_v2", "awq", "gguf:q4_0"}) {
    const v1::ArtifactInfo info = Write(format, model);
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / info.path());
    ASSERT_TRUE(found.ok()) << format << ": " << found.status();
    EXPECT_EQ((*found->Find(kLayer))->Decode(), expected) << format;
    if (!absl::StartsWith(format, "gguf")) {
      EXPECT_EQ((*found->Find(kLayer))->encoding(), "group-int") << format;
    }
  }
}

TEST_F(ExportTest, OffsetsGoIntoGptqTwoAndAwq) {
  const Model model = Quantized(4, 64, /*symmetric=*/false);
  for (const char* format : {"gptq_v2", "awq"}) {
    const v1::ArtifactInfo info = Write(format, model);
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / info.path());
    ASSERT_TRUE(found.ok()) << format << ": " << found.status();
    EXPECT_EQ((*found->Find(kLayer))->Decode(), (*model.Find(kLayer))->Decode()) << format;
  }
}

// Fewer bits stand in the middle of 4 or 8, so that every release reads them alike.
TEST_F(ExportTest, CompressedTensorsBits) {
  for (const int bits : {2, 3, 5, 7}) {
    fs::remove_all(artifacts_ / "compressed-tensors");
    const Model model = Quantized(bits, 32, /*symmetric=*/bits != 3);
    Write("compressed-tensors", model);
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / "compressed-tensors");
    ASSERT_TRUE(found.ok()) << bits << ": " << found.status();
    EXPECT_EQ((*found->Find(kLayer))->Decode(), (*model.Find(kLayer))->Decode()) << bits;
    EXPECT_EQ((*found->Find(kLayer))->Parameters()["bits"], bits < 4 ? 4 : 8);
  }
}

// Inputs that are rounded at run time are part of the file, and come back.
TEST_F(ExportTest, W8A8IsIntQuantized) {
  Model model = Tiny();
  for (auto& [name, tensor] : model.parameters) {
    if (!absl::EndsWith(name, "_proj.weight")) continue;
    tensor = *InputFormatTensor::Create(RoundToGroups(*tensor, 8, tensor->columns(), true),
                                        *IntTokenFormat::Create(tensor->columns(), {}));
  }
  Write("compressed-tensors", model);
  const Json config = Json::parse(*ReadFile(artifacts_ / "compressed-tensors" / "config.json"))["quantization_config"];
  EXPECT_EQ(config["format"], "int-quantized");
  const Json& inputs = config["config_groups"]["group_0"]["input_activations"];
  EXPECT_EQ(inputs["strategy"], "token");
  EXPECT_EQ(inputs["dynamic"], true);
  const absl::StatusOr<Model> found = LoadModel(artifacts_ / "compressed-tensors");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found->Find(kLayer))->Decode(), (*model.Find(kLayer))->Decode());
  ASSERT_NE((*found->Find(kLayer))->input_format(), nullptr);
  EXPECT_EQ((*found->Find(kLayer))->input_format()->name(), "int-token");
  EXPECT_THAT(Refusal("gguf:q8_0", model), HasSubstr("cannot say that inputs are quantized"));
}

TEST_F(ExportTest, AwqBits) {
  for (const int bits : {2, 3}) {
    fs::remove_all(artifacts_ / "awq");
    const Model model = Quantized(bits, 32, /*symmetric=*/bits == 2);
    Write("awq", model);
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / "awq");
    ASSERT_TRUE(found.ok()) << bits << ": " << found.status();
    EXPECT_EQ((*found->Find(kLayer))->Decode(), (*model.Find(kLayer))->Decode()) << bits;
  }
}

TEST_F(ExportTest, GptqBits) {
  for (const int bits : {2, 3, 5, 6, 8}) {
    fs::remove_all(artifacts_ / "gptq");
    const Model model = Quantized(bits, 32, /*symmetric=*/true);
    Write("gptq", model);
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / "gptq");
    ASSERT_TRUE(found.ok()) << bits << ": " << found.status();
    EXPECT_EQ((*found->Find(kLayer))->Decode(), (*model.Find(kLayer))->Decode()) << bits;
  }
}

TEST_F(ExportTest, GptqAndAwqRefuseByName) {
  EXPECT_THAT(Refusal("awq", Quantized(5, 32, true)), AllOf(HasSubstr("up to 4 bits"), HasSubstr("5 bits")));
  Model skipped = Quantized(4, 32, true);
  skipped.parameters[kLayer] = Tiny().parameters[kLayer];
  EXPECT_THAT(Refusal("gptq", skipped), HasSubstr("model.layers.0.mlp.down_proj"));
  EXPECT_TRUE(PlanExport("awq", skipped, {}).ok());
  Model mixed = Quantized(4, 32, true);
  mixed.parameters[kLayer] = RoundToGroups(*mixed.parameters[kLayer], 4, 64, true);
  EXPECT_THAT(Refusal("awq", mixed), HasSubstr("one figure for all layers"));
}

// A zero point of 0 has no spelling in version 1 that all readers share.
TEST_F(ExportTest, GptqOneRefusesZeroPointsOfZero) {
  Model model = Quantized(4, 32, /*symmetric=*/false);
  const auto weight = std::dynamic_pointer_cast<const GroupIntTensor>(model.parameters[kLayer]);
  ASSERT_NE(weight, nullptr);
  const int64_t rows = weight->rows(), columns = weight->columns(), groups = weight->groups();
  model.parameters[kLayer] =
      *GroupIntTensor::Create({rows, columns, 4, 32}, std::vector<uint8_t>(rows * columns, 3),
                              std::vector<uint16_t>(rows * groups, 0x3c00), std::vector<uint8_t>(rows * groups, 0));
  const absl::Status status = WriteExport("gptq", model, report_, artifacts_).status();
  EXPECT_THAT(status.message(), AllOf(HasSubstr("gptq_v2"), HasSubstr("down_proj")));
  EXPECT_FALSE(fs::exists(artifacts_ / "gptq"));
}

// Architectures that join or turn their layers come back from the folders that their own loaders read.
TEST_F(ExportTest, OtherArchitectures) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  for (const char* name : {"gpt2", "opt", "gpt_neox", "phi3", "gemma2", "gemma3"}) {
    const absl::StatusOr<Model> model = LoadModel(*shared / "golden" / "tiny" / name);
    ASSERT_TRUE(model.ok()) << model.status();
    fs::remove_all(artifacts_ / "safetensors-f32");
    const v1::ArtifactInfo info = Write("safetensors:f32", *model);
    EXPECT_THAT(info.verification(), Not(HasSubstr("differ"))) << name;
    const absl::StatusOr<Safetensors> ours = ReadSafetensorsFolder(artifacts_ / "safetensors-f32");
    const absl::StatusOr<Safetensors> theirs = ReadSafetensorsFolder(*shared / "golden" / "tiny" / name);
    ASSERT_TRUE(ours.ok() && theirs.ok());
    ASSERT_EQ(ours->tensors.size(), theirs->tensors.size()) << name;
    for (const auto& [tensor_name, tensor] : theirs->tensors) {
      ASSERT_TRUE(ours->tensors.contains(tensor_name)) << name << " " << tensor_name;
      EXPECT_TRUE(std::ranges::equal(ours->tensors.at(tensor_name).bytes(), tensor.bytes())) << tensor_name;
    }
    const absl::StatusOr<Model> again = LoadModel(artifacts_ / "safetensors-f32");
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(SpecToJson(again->spec)["layers"], SpecToJson(model->spec)["layers"]) << name;
    const std::string refused = name == std::string("opt") ? "not written to GGUF" : "the model has no tokenizer.json";
    EXPECT_THAT(PlanExport("gguf:f16", *model, {}).status().ToString(), HasSubstr(refused)) << name;
  }
}

TEST_F(ExportTest, ReportsTellReadersElsewhereToDownloadFirst) {
  v1::Report report;
  report.set_job_id("job-1");
  SetDownloadLoadCommands(report);
  EXPECT_TRUE(report.load_commands().empty());
  v1::ArtifactInfo* info = report.add_artifacts();
  info->set_name("gguf:q4_0");
  info->set_path("model-q4_0.gguf");
  v1::ArtifactInfo* container = report.add_artifacts();
  container->set_name("tersor");
  container->set_path("tersor");
  SetLocalLoadCommands("/here/artifacts", report);
  ASSERT_EQ(report.load_commands_size(), 2);
  EXPECT_THAT(report.load_commands(1).command(), HasSubstr("tersor generate --model /here/artifacts/tersor "));
  EXPECT_THAT(report.load_commands(0).command(), HasSubstr("-m /here/artifacts/model-q4_0.gguf "));
  SetDownloadLoadCommands(report);
  ASSERT_EQ(report.load_commands_size(), 3);
  EXPECT_EQ(report.load_commands(0).command(), "tersor download job-1");
  EXPECT_THAT(report.load_commands(1).command(), HasSubstr("-m ./job-1/model-q4_0.gguf "));
}

// Types that round: their own blocks where rows are a multiple of 256, else a stated fallback.
TEST_F(ExportTest, RoundedBlocksAndTheirFallback) {
  const Model model = Tiny({.width = 256, .heads = 4, .inner = 320});
  for (const auto& [format, type] : {std::pair{"gguf:q4_k", "Q4_K"}, std::pair{"gguf:q6_k", "Q6_K"}}) {
    const absl::StatusOr<ExportPlan> plan = PlanExport(format, model, {});
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_THAT(plan->detail, AllOf(HasSubstr(type), HasSubstr("2 layers whose rows"), HasSubstr("to Q8_0"))) << format;
    const v1::ArtifactInfo info = Write(format, model);
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / info.path());
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ((*found->Find("model.layers.0.mlp.up_proj.weight"))->Parameters()["type"], type);
    EXPECT_EQ((*found->Find(kLayer))->Parameters()["type"], "Q8_0");
  }
  Write("gguf:mxfp4", model);
}

// Not far from what the values themselves allow: 4.5, 6.6 and 4.25 bits a weight.
TEST_F(ExportTest, RoundedBlocksLieClose) {
  const Model model = Tiny({.width = 256, .heads = 4, .inner = 256});
  const std::vector<float> expected = (*model.Find(kLayer))->Decode();
  double power = 0;
  for (const float value : expected) power += static_cast<double>(value) * value;
  for (const auto& [format, limit] :
       {std::pair{"gguf:q4_k", 0.08}, std::pair{"gguf:q6_k", 0.02}, std::pair{"gguf:mxfp4", 0.16}}) {
    const v1::ArtifactInfo info = Write(format, model);
    const absl::StatusOr<Model> found = LoadModel(artifacts_ / info.path());
    ASSERT_TRUE(found.ok()) << found.status();
    const std::vector<float> values = (*found->Find(kLayer))->Decode();
    double error = 0;
    for (size_t i = 0; i < values.size(); ++i) error += std::pow(values[i] - expected[i], 2);
    EXPECT_LT(std::sqrt(error / power), limit) << format;
    EXPECT_GT(error, 0) << format;
  }
}

}  // namespace
}  // namespace tersor
