#include "core/model/config_json.h"

#include "core/base/atomic_file.h"
#include "core/model/model_spec_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

Json Llama() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", 64},
          {"intermediate_size", 128},
          {"num_hidden_layers", 3},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"max_position_embeddings", 512},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 5000.0},
          {"vocab_size", 160},
          {"eos_token_id", 2}};
}

Json Qwen2() {
  Json config = Llama();
  config["architectures"] = {"Qwen2ForCausalLM"};
  config["model_type"] = "qwen2";
  return config;
}

Json Mistral() {
  Json config = Llama();
  config["architectures"] = {"MistralForCausalLM"};
  config["model_type"] = "mistral";
  return config;
}

absl::StatusOr<ModelSpec> Read(const Json& config) { return SpecFromConfigJson(config.dump(), "config.json"); }

std::vector<int> Windows(const ModelSpec& spec) {
  std::vector<int> windows;
  for (const LayerSpec& layer : spec.layers) windows.push_back(layer.attention.sliding_window);
  return windows;
}

TEST(ConfigJsonTest, ReadsShapes) {
  absl::StatusOr<ModelSpec> spec = Read(Llama());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->architecture, "llama");
  EXPECT_EQ(spec->width, 64);
  EXPECT_EQ(spec->vocabulary, 160);
  EXPECT_EQ(spec->context_length, 512);
  EXPECT_FALSE(spec->tied);
  EXPECT_THAT(spec->eos_ids, ElementsAre(2));
  ASSERT_EQ(spec->layers.size(), 3);
  const LayerSpec& layer = spec->layers[2];
  EXPECT_EQ(layer.inner_width, 128);
  EXPECT_EQ(layer.attention.heads, 4);
  EXPECT_EQ(layer.attention.kv_heads, 2);
  EXPECT_EQ(layer.attention.head_size, 16);
  EXPECT_EQ(layer.rope.theta, 5000);
  EXPECT_FALSE(layer.attention.qkv_bias || layer.attention.output_bias || layer.mlp_bias || layer.attention.qk_norm);
}

TEST(ConfigJsonTest, KeyValueHeadsDefaultToHeadsAndNullCountsAsMissing) {
  Json config = Llama();
  config["num_key_value_heads"] = nullptr;
  config["head_dim"] = nullptr;
  config["eos_token_id"] = {7, 9};
  absl::StatusOr<ModelSpec> spec = Read(config);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->layers[0].attention.kv_heads, 4);
  EXPECT_EQ(spec->layers[0].attention.head_size, 16);
  EXPECT_THAT(spec->eos_ids, ElementsAre(7, 9));
}

TEST(ConfigJsonTest, BothSpellingsOfLlama3ScalingAreOne) {
  const Json scaling = {{"rope_type", "llama3"},
                        {"factor", 8.0},
                        {"low_freq_factor", 1.0},
                        {"high_freq_factor", 4.0},
                        {"original_max_position_embeddings", 64}};
  Json older = Llama();
  older["rope_scaling"] = scaling;
  Json newer = Llama();
  newer.erase("rope_theta");
  newer["rope_parameters"] = scaling;
  newer["rope_parameters"]["rope_theta"] = 5000.0;
  absl::StatusOr<ModelSpec> a = Read(older);
  absl::StatusOr<ModelSpec> b = Read(newer);
  ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
  EXPECT_EQ(SpecToJson(*a), SpecToJson(*b));
  ASSERT_TRUE(a->layers[0].rope.llama3.has_value());
  EXPECT_EQ(a->layers[0].rope.llama3->factor, 8);
  EXPECT_EQ(a->layers[0].rope.llama3->original_context, 64);
}

TEST(ConfigJsonTest, LinearScalingByItsOldKey) {
  Json config = Llama();
  config["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  absl::StatusOr<ModelSpec> spec = Read(config);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->layers[0].rope.linear_factor, 2);
}

TEST(ConfigJsonTest, BiasesFollowTheArchitecture) {
  Json config = Llama();
  config["attention_bias"] = true;
  config["mlp_bias"] = true;
  EXPECT_TRUE(Read(config)->layers[0].attention.qkv_bias);
  EXPECT_TRUE(Read(config)->layers[0].attention.output_bias);
  EXPECT_TRUE(Read(config)->layers[0].mlp_bias);
  EXPECT_TRUE(Read(Qwen2())->layers[0].attention.qkv_bias);
  EXPECT_FALSE(Read(Qwen2())->layers[0].attention.output_bias);
}

TEST(ConfigJsonTest, WindowsOfMistral) {
  EXPECT_THAT(Windows(*Read(Mistral())), ElementsAre(4096, 4096, 4096));
  Json config = Mistral();
  config["sliding_window"] = nullptr;
  EXPECT_THAT(Windows(*Read(config)), ElementsAre(0, 0, 0));
  config["sliding_window"] = 8;
  EXPECT_THAT(Windows(*Read(config)), ElementsAre(8, 8, 8));
  Json llama = Llama();
  llama["sliding_window"] = 8;
  EXPECT_THAT(Windows(*Read(llama)), ElementsAre(0, 0, 0));
}

TEST(ConfigJsonTest, WindowsOfQwen) {
  Json config = Qwen2();
  config["sliding_window"] = 8;
  config["max_window_layers"] = 1;
  EXPECT_THAT(Windows(*Read(config)), ElementsAre(0, 0, 0));
  config["use_sliding_window"] = true;
  EXPECT_THAT(Windows(*Read(config)), ElementsAre(0, 8, 8));
  config["layer_types"] = {"sliding_attention", "full_attention", "full_attention"};
  EXPECT_THAT(Windows(*Read(config)), ElementsAre(8, 0, 0));
}

// What is wrong with a configuration, and the words of the error.
struct Fault {
  std::string name;
  std::function<void(Json&)> edit;
  std::vector<std::string> words;
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

std::vector<Fault> Faults() {
  constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;
  return {
      {"NoType", [](Json& c) { c.erase("model_type"); }, {"\"model_type\" is missing"}},
      {"UnknownType", [](Json& c) { c["model_type"] = "mamba"; }, {"\"mamba\"", "llama"}, kUnimplemented},
      {"OtherHead",
       [](Json& c) { c["architectures"] = {"LlamaForSequenceClassification"}; },
       {"LlamaForSequenceClassification", "LlamaForCausalLM"},
       kUnimplemented},
      {"ArchitecturesText", [](Json& c) { c["architectures"] = "LlamaForCausalLM"; }, {"\"architectures\""}},
      {"NoWidth", [](Json& c) { c.erase("hidden_size"); }, {"\"hidden_size\" is missing"}},
      {"TextWidth", [](Json& c) { c["hidden_size"] = "64"; }, {"\"hidden_size\" is not a whole number"}},
      {"FractionalWidth", [](Json& c) { c["hidden_size"] = 64.5; }, {"\"hidden_size\" is not a whole number"}},
      {"NegativeWidth", [](Json& c) { c["hidden_size"] = -64; }, {"\"hidden_size\" is -64"}},
      {"HugeWidth", [](Json& c) { c["hidden_size"] = uint64_t{1} << 60; }, {"\"hidden_size\" is 1152921504606846976"}},
      {"WidestWidth", [](Json& c) { c["hidden_size"] = ~uint64_t{0}; }, {"\"hidden_size\" is 18446744073709551615"}},
      {"LargeWidth", [](Json& c) { c["hidden_size"] = 1 << 30; }, {"the width is 1073741824"}},
      {"HugeLayers", [](Json& c) { c["num_hidden_layers"] = 2000000000; }, {"\"num_hidden_layers\" is 2000000000"}},
      {"NoLayers", [](Json& c) { c["num_hidden_layers"] = 0; }, {"\"num_hidden_layers\" is 0"}},
      {"NoHeads", [](Json& c) { c["num_attention_heads"] = 0; }, {"\"num_attention_heads\" is 0"}},
      {"HeadsDoNotDivide", [](Json& c) { c["num_attention_heads"] = 5; }, {"does not divide \"hidden_size\" 64"}},
      {"KvHeadsDoNotDivide", [](Json& c) { c["num_key_value_heads"] = 3; }, {"3 key-value heads"}},
      {"MoreKvHeads", [](Json& c) { c["num_key_value_heads"] = 8; }, {"key-value heads is 8, outside 1..4"}},
      {"OddHeads", [](Json& c) { c["head_dim"] = 15; }, {"head size is 15"}},
      {"WideHeads", [](Json& c) { c["head_dim"] = 2000000000; }, {"head size is 2000000000"}},
      {"NoContext", [](Json& c) { c.erase("max_position_embeddings"); }, {"\"max_position_embeddings\" is missing"}},
      {"HugeVocabulary", [](Json& c) { c["vocab_size"] = 2000000000; }, {"vocabulary is 2000000000"}},
      {"EpsilonZero", [](Json& c) { c["rms_norm_eps"] = 0; }, {"epsilon is 0"}},
      {"EpsilonText", [](Json& c) { c["rms_norm_eps"] = "1e-5"; }, {"\"rms_norm_eps\" is not a number"}},
      {"ThetaNegative", [](Json& c) { c["rope_theta"] = -1; }, {"rope theta is -1"}},
      {"TieText", [](Json& c) { c["tie_word_embeddings"] = 1; }, {"\"tie_word_embeddings\" is not true or false"}},
      {"EosText", [](Json& c) { c["eos_token_id"] = "</s>"; }, {"\"eos_token_id\""}},
      {"EosNegative",
       [](Json& c) {
         c["eos_token_id"] = {1, -2};
       },
       {"\"eos_token_id\" is -2"}},
      {"Activation",
       [](Json& c) { c["hidden_act"] = "quick_gelu"; },
       {"\"hidden_act\" is \"quick_gelu\""},
       kUnimplemented},
      {"Yarn",
       [](Json& c) {
         c["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 2}};
       },
       {"rope type \"yarn\""},
       kUnimplemented},
      {"RopeByLayerType",
       [](Json& c) {
         c["rope_parameters"] = {{"full_attention", {{"rope_theta", 1.0}}}};
       },
       {"by layer type"},
       kUnimplemented},
      {"RopeText", [](Json& c) { c["rope_scaling"] = "linear"; }, {"\"rope_scaling\" is not an object"}},
      {"Llama3WithoutFactor",
       [](Json& c) {
         c["rope_scaling"] = {{"rope_type", "llama3"}};
       },
       {"\"factor\" is missing"}},
      {"LinearZero",
       [](Json& c) {
         c["rope_scaling"] = {{"type", "linear"}, {"factor", 0}};
       },
       {"linear rope factor is 0"}},
      {"PartialRotary", [](Json& c) { c["partial_rotary_factor"] = 1.5; }, {"partial_rotary_factor"}},
  };
}

class ConfigFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(ConfigFaultTest, IsAnErrorThatNamesIt) {
  Json config = Llama();
  GetParam().edit(config);
  absl::Status status = Read(config).status();
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("config.json: "));
  for (const std::string& word : GetParam().words) EXPECT_THAT(std::string(status.message()), HasSubstr(word));
}

INSTANTIATE_TEST_SUITE_P(Faults, ConfigFaultTest, ::testing::ValuesIn(Faults()),
                         [](const auto& info) { return info.param.name; });

TEST(ConfigJsonTest, RefusesWindowsThatDoNotFit) {
  Json config = Qwen2();
  config["layer_types"] = {"full_attention"};
  EXPECT_THAT(std::string(Read(config).status().message()), HasSubstr("1 entries for 3 layers"));
  config["layer_types"] = {"full_attention", "linear_attention", "full_attention"};
  EXPECT_EQ(Read(config).status().code(), absl::StatusCode::kUnimplemented);
  config["layer_types"] = {"full_attention", "sliding_attention", "full_attention"};
  config["sliding_window"] = nullptr;
  EXPECT_THAT(std::string(Read(config).status().message()), HasSubstr("layer 1 slides"));
}

TEST(ConfigJsonTest, RefusesWhatIsNotAnObject) {
  for (const char* text : {"", "[]", "7", "{", "{\"a\":", "{\"model_type\": \"llama\", \"model_type\": \"llama\"}"}) {
    EXPECT_EQ(SpecFromConfigJson(text, "config.json").status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(SpecFromConfigJson(std::string(100000, '['), "config.json").ok());
}

// Of every family, with what its config can say.
std::vector<Json> ConfigsToWrite() {
  std::vector<Json> configs = {Llama(), Mistral(), Qwen2()};
  configs[0]["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  configs[0]["attention_bias"] = true;
  configs[0]["eos_token_id"] = {2, 3};
  configs[1]["sliding_window"] = 8;
  configs[2]["use_sliding_window"] = true;
  configs[2]["max_window_layers"] = 1;
  if (const auto shared = tersor::testing::SharedPath()) {
    for (const char* name : {"llama_tied", "llama_bias", "llama3_rope_scaling", "mistral_sliding", "qwen2", "qwen3",
                             "phi3", "gemma2", "gemma3", "gpt2", "gpt_neox", "opt"}) {
      configs.push_back(Json::parse(*ReadFile(*shared / "golden/tiny" / name / "config.json")));
    }
  }
  return configs;
}

TEST(ConfigJsonTest, WhatIsWrittenReadsBackTheSame) {
  for (const Json& config : ConfigsToWrite()) {
    absl::StatusOr<ModelSpec> spec = Read(config);
    ASSERT_TRUE(spec.ok()) << spec.status();
    absl::StatusOr<std::string> text = ConfigJson(*spec, "float32");
    ASSERT_TRUE(text.ok()) << text.status();
    absl::StatusOr<ModelSpec> again = SpecFromConfigJson(*text, "written");
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(SpecToJson(*spec), SpecToJson(*again)) << *text;
  }
}

// transformers 4 reads the one, 5 the other; each says all of it.
TEST(ConfigJsonTest, EitherSpellingOfWhatIsWrittenIsEnough) {
  for (const Json& config : ConfigsToWrite()) {
    const ModelSpec spec = *Read(config);
    const Json written = Json::parse(*ConfigJson(spec, "bfloat16"));
    EXPECT_EQ(written["dtype"], "bfloat16");
    EXPECT_EQ(written["torch_dtype"], "bfloat16");
    EXPECT_EQ(written["head_dim"], spec.layers.front().attention.head_size);
    EXPECT_EQ(written.contains("rope_parameters"), spec.positions == PositionKind::kRope);
    Json older = written, newer = written;
    older.erase("rope_parameters");
    for (const char* key : {"rope_theta", "rope_scaling", "rope_local_base_freq", "rotary_emb_base", "rotary_pct",
                            "partial_rotary_factor", "original_max_position_embeddings"}) {
      newer.erase(key);
    }
    EXPECT_EQ(SpecToJson(*Read(older)), SpecToJson(spec)) << older;
    EXPECT_EQ(SpecToJson(*Read(newer)), SpecToJson(spec)) << newer;
  }
}

TEST(ConfigJsonTest, WriterRefusesLayersThatDiffer) {
  ModelSpec spec = *Read(Llama());
  spec.layers[1].inner_width = 96;
  absl::Status status = ConfigJson(spec, "float32").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("layer 1 differs from layer 0 in its inner width"));
  spec = *Read(Llama());
  spec.layers[0].attention.sliding_window = 8;
  EXPECT_EQ(ConfigJson(spec, "float32").status().code(), absl::StatusCode::kUnimplemented);
  spec = *Read(Qwen2());
  for (LayerSpec& layer : spec.layers) layer.attention.qkv_bias = false;
  EXPECT_EQ(ConfigJson(spec, "float32").status().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace tersor
