#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/encoding/row_permuted_tensor.h"
#include "core/model/architecture.h"
#include "core/model/model.h"
#include "core/model/model_spec_json.h"
#include "core/model/rope_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/gguf_builder.h"
#include "tests/testing/paths.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using tersor::testing::GgufBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

fs::path Folder() {
  const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const fs::path folder = fs::path(::testing::TempDir()) / "tersor_gguf_model_test" / test;
  fs::create_directories(folder);
  return folder;
}

// Metadata of a llama of `spec`'s shapes, without a tokenizer.
GgufBuilder Metadata(const ModelSpec& spec) {
  GgufBuilder builder;
  const AttentionSpec& attention = spec.layers[0].attention;
  builder.String("general.architecture", "llama").String("general.name", "tiny").String("general.license", "mit");
  builder.U32("llama.block_count", spec.layers.size()).U32("llama.context_length", spec.context_length);
  builder.U32("llama.embedding_length", spec.width).U32("llama.feed_forward_length", spec.layers[0].inner_width);
  builder.U32("llama.attention.head_count", attention.heads).U32("llama.attention.head_count_kv", attention.kv_heads);
  builder.F32("llama.attention.layer_norm_rms_epsilon", 1e-5f).F32("llama.rope.freq_base", 10000);
  builder.U32("tokenizer.ggml.bos_token_id", 0).U32("tokenizer.ggml.eos_token_id", 2);
  return builder;
}

// The model's tensors as GGUF's converter would order them.
void AddTensors(const Model& model, GgufBuilder& builder) {
  const std::vector<ParameterSpec> parameters = *ModelParameters(model.spec);
  for (const ParameterSpec& parameter : parameters) {
    const EncodedTensorPtr tensor = model.parameters.at(parameter.name);
    std::vector<float> values = tensor->Decode();
    if (parameter.gguf_permuted_heads > 0) {
      const std::vector<float> rows = values;
      const std::vector<int64_t> sources = GgufRowSources(tensor->rows(), parameter.gguf_permuted_heads);
      for (int64_t row = 0; row < tensor->rows(); ++row) {
        std::copy_n(rows.begin() + sources[row] * tensor->columns(), tensor->columns(),
                    values.begin() + row * tensor->columns());
      }
    }
    std::vector<uint64_t> dimensions(tensor->shape().rbegin(), tensor->shape().rend());
    builder.Floats(parameter.gguf_name, dimensions, values);
  }
}

absl::StatusOr<Model> Load(const GgufBuilder& builder) {
  const fs::path path = Folder() / "tiny.gguf";
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(path, builder.Bytes()));
  return LoadModel(path, /*hash_content=*/true);
}

std::string Message(const GgufBuilder& builder) { return std::string(Load(builder).status().message()); }

Model TinyModel(bool tied = false) {
  return *LoadModel(*tersor::testing::WriteTinyModel(Folder() / "hf", {.tied = tied}));
}

TEST(GgufModelTest, IsTheHuggingFaceModelItCameFrom) {
  for (const bool tied : {false, true}) {
    const Model wanted = TinyModel(tied);
    GgufBuilder builder = Metadata(wanted.spec);
    AddTensors(wanted, builder);
    absl::StatusOr<Model> model = Load(builder);
    ASSERT_TRUE(model.ok()) << model.status();
    ASSERT_EQ(model->parameters.size(), wanted.parameters.size());
    for (const auto& [name, tensor] : wanted.parameters) {
      EXPECT_EQ(model->parameters.at(name)->Decode(), tensor->Decode()) << name;
    }
    model->spec.name = wanted.spec.name;
    EXPECT_EQ(SpecToJson(model->spec), SpecToJson(wanted.spec));
    EXPECT_EQ(model->source.format, "gguf");
    EXPECT_EQ(model->source.sha256.size(), 64);
    EXPECT_EQ(model->assets.licence_id, "mit");
    EXPECT_EQ(model->assets.licence_text, "");
    EXPECT_TRUE(model->assets.tokenizer_json.empty());
  }
}

TEST(GgufModelTest, FindsLlama3ScalingAgain) {
  const Model wanted = TinyModel();
  GgufBuilder odd = Metadata(wanted.spec);
  AddTensors(wanted, odd);
  std::vector<float> factors;
  for (const int64_t context : {8192, 64, 300, 12345}) {
    RopeSpec scaled = wanted.spec.layers[0].rope;
    scaled.llama3 = Llama3RopeScaling{.factor = 32, .original_context = context};
    const std::vector<double> before = RopeFrequencies(wanted.spec.layers[0].rope, 16);
    const std::vector<double> after = RopeFrequencies(scaled, 16);
    factors.clear();
    for (size_t i = 0; i < before.size(); ++i) factors.push_back(static_cast<float>(before[i] / after[i]));
    ASSERT_THAT(factors, ::testing::Contains(32));
    GgufBuilder builder = odd;
    builder.Floats("rope_freqs.weight", {8}, factors);
    absl::StatusOr<Model> model = Load(builder);
    ASSERT_TRUE(model.ok()) << model.status();
    const RopeSpec& found = model->spec.layers[1].rope;
    ASSERT_TRUE(found.llama3.has_value());
    EXPECT_EQ(found.llama3->factor, 32);
    // Another context that gives the same frequencies would do as well.
    const std::vector<double> again = RopeFrequencies(found, 16);
    for (size_t i = 0; i < after.size(); ++i) EXPECT_NEAR(again[i] / after[i], 1, 1e-6) << context << " " << i;
    if (context == 8192) {
      EXPECT_EQ(found.llama3->original_context, 8192);
    }
  }

  factors[3] = 7;
  odd.Floats("rope_freqs.weight", {8}, factors);
  EXPECT_EQ(Load(odd).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(Message(odd), HasSubstr("rope_freqs.weight"));
}

TEST(GgufModelTest, NamesWhatIsWrong) {
  const Model tiny = TinyModel();
  GgufBuilder complete = Metadata(tiny.spec);
  AddTensors(tiny, complete);
  GgufBuilder no_tensors = Metadata(tiny.spec);
  EXPECT_THAT(Message(no_tensors), HasSubstr("tensor \"token_embd.weight\" is missing"));
  GgufBuilder extra = complete;
  extra.Floats("blk.0.attn_gate.weight", {1}, {1});
  EXPECT_THAT(Message(extra), HasSubstr("tensor \"blk.0.attn_gate.weight\""));
  EXPECT_THAT(Message(extra), HasSubstr("tiny.gguf: "));
  EXPECT_TRUE(Load(complete).ok());
  GgufBuilder experts = complete;
  experts.U32("llama.expert_count", 8);
  EXPECT_EQ(Load(experts).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(Message(experts), HasSubstr("8 experts"));
  GgufBuilder yarn = complete;
  yarn.String("llama.rope.scaling.type", "yarn");
  EXPECT_THAT(Message(yarn), HasSubstr("\"yarn\""));
  GgufBuilder partial = complete;
  partial.U32("llama.rope.dimension_count", 8);
  EXPECT_EQ(Load(partial).status().code(), absl::StatusCode::kUnimplemented);
}

TEST(GgufModelTest, NamesTheKeyThatLies) {
  EXPECT_THAT(Message(GgufBuilder()), HasSubstr("general.architecture is missing"));
  EXPECT_THAT(Message(GgufBuilder().U32("general.architecture", 3)), HasSubstr("general.architecture is not a string"));
  GgufBuilder falcon = GgufBuilder().String("general.architecture", "falcon");
  EXPECT_EQ(Load(falcon).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(Message(falcon), HasSubstr("\"falcon\" is not supported; supported: llama, qwen2, qwen3, gpt2, gptneox, "
                                         "phi3, gemma2, gemma3"));
  GgufBuilder llama = GgufBuilder().String("general.architecture", "llama");
  EXPECT_THAT(Message(llama), HasSubstr("llama.embedding_length is missing"));
  llama.U32("llama.embedding_length", 64).U32("llama.context_length", 64);
  llama.Floats("token_embd.weight", {64, 1}, std::vector<float>(64));
  GgufBuilder layers = llama;
  EXPECT_THAT(Message(layers.U32("llama.block_count", 0xffffffff)), HasSubstr("llama.block_count is 4294967295"));
  llama.U32("llama.block_count", 2);
  GgufBuilder no_heads = llama;
  EXPECT_THAT(Message(no_heads.U32("llama.attention.head_count", 0).U32("llama.feed_forward_length", 64)),
              HasSubstr("head_count is 0"));
  EXPECT_THAT(Message(llama.I32s("llama.attention.head_count", {4, 4, 4})), HasSubstr("3 entries for 2 layers"));
}

// A byte-level tokenizer of as many tokens as the tiny model has rows.
GgufBuilder WithTokenizer(GgufBuilder builder, const ModelSpec& spec, absl::string_view spoilt) {
  std::vector<std::string> tokens;
  for (int64_t id = 0; id < spec.vocabulary; ++id) tokens.push_back(absl::StrCat("t", id));
  if (spoilt == "equal") tokens[9] = tokens[7];
  if (spoilt == "empty") tokens[7] = tokens[9] = "";
  builder.String("tokenizer.ggml.model", "gpt2").Strings("tokenizer.ggml.tokens", tokens);
  builder.Strings("tokenizer.ggml.merges", {"t 1"});
  if (spoilt == "pre") builder.String("tokenizer.ggml.pre", "klingon");
  if (spoilt != "pre" && spoilt != "no pre") builder.String("tokenizer.ggml.pre", "gpt-2");
  if (spoilt == "template") builder.U32("tokenizer.chat_template", 7);
  if (spoilt == "id") builder.U32("tokenizer.ggml.padding_token_id", 0xffffffff);
  if (spoilt == "id's type") builder.String("tokenizer.ggml.padding_token_id", "none");
  return builder;
}

TEST(GgufModelTest, ATokenizersDetailDoesNotRefuseTheWeights) {
  const Model tiny = TinyModel();
  GgufBuilder plain = Metadata(tiny.spec);
  AddTensors(tiny, plain);
  struct Case {
    const char* spoilt;
    const char* fault;
    const char* warning;
  };
  const Case cases[] = {
      {"", "", ""},
      {"pre", "unknown pre-tokenizer \"klingon\"", ""},
      {"no pre", "", "tokenizer.ggml.pre is missing: the pre-tokenizer is taken for GPT-2's"},
      {"equal", "tokenizer.ggml.tokens: 7 and 9 are both \"t7\"", ""},
      {"empty", "", "tokenizer.ggml.tokens has 2 empty tokens, the first one at 7"},
      {"id", "", "tokenizer.ggml.padding_token_id is 4294967295, but there are"},
      {"template", "", "tokenizer.chat_template is not a string; it is ignored"},
      {"id's type", "", "tokenizer.ggml.padding_token_id is not an integer: ignored"},
  };
  for (const Case& item : cases) {
    const absl::StatusOr<Model> model = Load(WithTokenizer(plain, tiny.spec, item.spoilt));
    ASSERT_TRUE(model.ok()) << item.spoilt << ": " << model.status();
    EXPECT_EQ(model->parameters.size(), tiny.parameters.size());
    EXPECT_THAT(model->assets.tokenizer_fault, HasSubstr(item.fault)) << item.spoilt;
    EXPECT_EQ(model->assets.tokenizer_json.empty(), *item.fault != 0) << item.spoilt;
    ASSERT_EQ(model->source.warnings.size(), *item.warning != 0) << item.spoilt;
    if (*item.warning != 0) {
      EXPECT_THAT(model->source.warnings[0].text, HasSubstr(item.warning));
    }
    EXPECT_EQ(model->spec.pad_id, -1);
    if (*item.fault != 0) {
      EXPECT_THAT(WhyNoTokenizer(*model), HasSubstr(item.fault));
    }
  }
}

TEST(GgufModelTest, LoadsTheDemoModel) {
  const auto path = tersor::testing::DemoModelPath();
  if (!path) GTEST_SKIP() << "no demo model: run scripts/fetch_model.sh or set TERSOR_DEMO_MODEL";
  absl::StatusOr<Model> model = LoadModel(*path);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->parameters.size(), 272);
  EXPECT_EQ(model->ParameterCount(), 134515008);
  const ModelSpec& spec = model->spec;
  EXPECT_EQ(spec.architecture, "llama");
  EXPECT_TRUE(spec.tied);
  EXPECT_EQ(spec.layers.size(), 30);
  EXPECT_EQ(spec.width, 576);
  EXPECT_EQ(spec.vocabulary, 49152);
  EXPECT_EQ(spec.context_length, 8192);
  EXPECT_EQ(spec.norm_epsilon, 1e-5);
  EXPECT_EQ(spec.layers[7].rope.theta, 100000);
  EXPECT_EQ(spec.layers[7].inner_width, 1536);
  EXPECT_EQ(spec.layers[7].attention.heads, 9);
  EXPECT_EQ(spec.layers[7].attention.kv_heads, 3);
  EXPECT_EQ(spec.layers[7].attention.head_size, 64);
  EXPECT_EQ(spec.bos_id, 1);
  EXPECT_THAT(spec.eos_ids, ElementsAre(2));
  EXPECT_EQ(model->assets.licence_id, "apache-2.0");
  EXPECT_NE(model->assets.licence_text.find("Apache License"), std::string::npos);
  EXPECT_EQ(model->assets.gguf_pre_tokenizer, "smollm");
  EXPECT_THAT(model->assets.tokenizer_json, HasSubstr("Digits"));
  EXPECT_THAT(model->assets.chat_template, HasSubstr("im_start"));
  EXPECT_THAT(model->assets.tokenizer_config_json, HasSubstr("<|im_end|>"));
}

}  // namespace
}  // namespace tersor
