#include <cstring>
#include <fstream>

#include "core/base/atomic_file.h"
#include "core/model/container.h"
#include "core/model/model.h"
#include "core/model/model_spec_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;
using tersor::testing::TinyModelOptions;
using tersor::testing::WriteTinyModel;

// A fresh folder with a tiny model in it.
fs::path Tiny(const TinyModelOptions& options = {}) {
  const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  static int count = 0;
  const fs::path folder =
      fs::path(::testing::TempDir()) / "tersor_model_loader_test" / (test + std::to_string(count++));
  fs::remove_all(folder);
  return *WriteTinyModel(folder, options);
}

void EditJson(const fs::path& path, const std::function<void(Json&)>& edit) {
  Json json = Json::parse(*ReadFile(path));
  edit(json);
  ASSERT_TRUE(WriteFileAtomically(path, json.dump()).ok());
}

// Changes the header of a safetensors file without moving the values.
void EditHeader(const fs::path& path, const std::function<void(Json&)>& edit) {
  const std::string bytes = *ReadFile(path);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  Json header = Json::parse(bytes.substr(8, length));
  edit(header);
  const std::string text = header.dump();
  const uint64_t new_length = text.size();
  const std::string prefix(reinterpret_cast<const char*>(&new_length), sizeof(new_length));
  ASSERT_TRUE(WriteFileAtomically(path, prefix + text + bytes.substr(8 + length)).ok());
}

std::string Message(const fs::path& path) { return std::string(LoadModel(path).status().message()); }

TEST(ModelLoaderTest, LoadsAHuggingFaceFolder) {
  const fs::path folder = Tiny();
  absl::StatusOr<Model> model = LoadModel(folder, /*hash_content=*/true);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->spec.architecture, "llama");
  EXPECT_TRUE(model->spec.tied);
  EXPECT_EQ(model->spec.name, folder.filename().string());
  EXPECT_THAT(model->spec.eos_ids, ElementsAre(tersor::testing::kTinyEosId));
  EXPECT_EQ(model->parameters.size(), 1 + 2 * 9 + 1);
  EXPECT_EQ(*model->Head(), *model->Find(kEmbeddingName));
  EXPECT_EQ(model->source.format, "huggingface");
  EXPECT_EQ(model->source.sha256.size(), 64);
  EXPECT_EQ(model->source.weight_bytes, static_cast<int64_t>(fs::file_size(folder / "model.safetensors")));
  EXPECT_THAT(model->assets.tokenizer_json, HasSubstr("ByteLevel"));
  EXPECT_THAT(model->assets.chat_template, HasSubstr("<|im_start|>"));
  EXPECT_THAT(model->assets.licence_text, HasSubstr("public domain"));
  EXPECT_FALSE(model->assets.add_bos);
}

TEST(ModelLoaderTest, ShardsAndOneFileAreTheSameModel) {
  Model one = *LoadModel(Tiny({.tied = false, .dtype = DType::kBF16}));
  Model shards = *LoadModel(Tiny({.tied = false, .dtype = DType::kBF16, .sharded = true}));
  ASSERT_EQ(one.parameters.size(), shards.parameters.size());
  for (const auto& [name, tensor] : one.parameters) EXPECT_EQ(tensor->Decode(), shards.parameters[name]->Decode());
  EXPECT_EQ(one.ParameterCount(), shards.ParameterCount());
}

TEST(ModelLoaderTest, HashFollowsWeightsConfigurationAndTokenizerOnly) {
  const fs::path folder = Tiny();
  const std::string hash = LoadModel(folder, true)->source.sha256;
  const fs::path copy = Tiny();
  EXPECT_EQ(LoadModel(copy, true)->source.sha256, hash);
  ASSERT_TRUE(WriteFileAtomically(copy / "LICENSE", "other").ok());
  EXPECT_EQ(LoadModel(copy, true)->source.sha256, hash);
  EditJson(copy / "config.json", [](Json& config) { config["rope_theta"] = 20000.0; });
  EXPECT_NE(LoadModel(copy, true)->source.sha256, hash);
  EXPECT_NE(LoadModel(Tiny({.seed = 5}), true)->source.sha256, hash);
}

TEST(ModelLoaderTest, LoadsTersorsContainer) {
  const Model model = *LoadModel(Tiny());
  const fs::path folder = Tiny() / "container";
  ASSERT_TRUE(WriteContainer(model, {}, folder).ok());
  absl::StatusOr<Model> again = LoadModel(folder, /*hash_content=*/true);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->source.format, "tersor");
  EXPECT_EQ(again->source.sha256.size(), 64);
  EXPECT_EQ(SpecToJson(again->spec), SpecToJson(model.spec));
  for (const auto& [name, tensor] : model.parameters) EXPECT_EQ(tensor->Decode(), again->parameters[name]->Decode());
}

TEST(ModelLoaderTest, StopsAreThoseOfBothConfigurations) {
  const fs::path folder = Tiny();
  EditJson(folder / "generation_config.json", [](Json& config) { config["eos_token_id"] = {2, 0}; });
  EXPECT_THAT(LoadModel(folder)->spec.eos_ids, ElementsAre(2, 0));
  EditJson(folder / "generation_config.json", [](Json& config) { config["eos_token_id"] = {-1, 7}; });
  EXPECT_THAT(LoadModel(folder)->spec.eos_ids, ElementsAre(2, 7));
}

TEST(ModelLoaderTest, ATokenizersDetailDoesNotRefuseTheWeights) {
  const auto warnings = [](const fs::path& folder) {
    const absl::StatusOr<Model> model = LoadModel(folder);
    EXPECT_TRUE(model.ok()) << model.status();
    std::string all;
    for (size_t i = 0; model.ok() && i < model->source.warnings.size(); ++i) {
      EXPECT_EQ(model->source.warnings[i].code, "TOKENIZER");
      all += model->source.warnings[i].text + "\n";
    }
    return all;
  };
  fs::path folder = Tiny();
  EXPECT_EQ(warnings(folder), "");
  EditJson(folder / "generation_config.json", [](Json& config) { config["eos_token_id"] = "x"; });
  EXPECT_THAT(warnings(folder), HasSubstr("generation_config.json: \"eos_token_id\""));
  EditJson(folder / "tokenizer_config.json", [](Json& config) { config["add_bos_token"] = "yes"; });
  EXPECT_THAT(warnings(folder), HasSubstr("tokenizer_config.json: \"add_bos_token\""));
  ASSERT_TRUE(WriteFileAtomically(folder / "tokenizer_config.json", "{\"a\": ").ok());
  EXPECT_THAT(warnings(folder), HasSubstr("tokenizer_config.json: not valid JSON"));
  EXPECT_EQ(LoadModel(folder)->assets.tokenizer_config_json, "");

  folder = Tiny();
  ASSERT_TRUE(WriteFileAtomically(folder / "tokenizer.json", "version https://git-lfs.github.com/spec/v1\n").ok());
  const absl::StatusOr<Model> model = LoadModel(folder);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->assets.tokenizer_json, "");
  EXPECT_THAT(model->assets.tokenizer_fault, HasSubstr("Git LFS pointer"));
}

TEST(ModelLoaderTest, ReadsLicenceIdAndTemplateFile) {
  const fs::path folder = Tiny();
  ASSERT_TRUE(WriteFileAtomically(folder / "README.md", "---\nlicense: apache-2.0\ntags: x\n---\nlicense: no\n").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "chat_template.jinja", "{{ messages }}").ok());
  absl::StatusOr<Model> model = LoadModel(folder);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->assets.licence_id, "apache-2.0");
  EXPECT_EQ(model->assets.chat_template, "{{ messages }}");
}

TEST(ModelLoaderTest, RefusesWhatIsNoModel) {
  const fs::path folder = Tiny();
  EXPECT_EQ(LoadModel(folder / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(folder / "LICENSE"), HasSubstr("not a GGUF file"));
  fs::create_directory(folder / "empty");
  EXPECT_THAT(Message(folder / "empty"), HasSubstr("neither config.json nor tersor.json"));
  fs::remove(folder / "model.safetensors");
  EXPECT_FALSE(LoadModel(folder).ok());
}

TEST(ModelLoaderTest, SaysWhatAPathProbablyIs) {
  const fs::path folder = Tiny();
  EXPECT_THAT(Message(folder / "model.safetensors"), HasSubstr("give the folder that also has its config.json"));
  ASSERT_TRUE(WriteFileAtomically(folder / "x.gguf", "version https://git-lfs.github.com/spec/v1\n").ok());
  EXPECT_THAT(Message(folder / "x.gguf"), HasSubstr("not a GGUF file; it is a Git LFS pointer"));
  fs::create_directories(folder / "outer");
  EXPECT_THAT(Message(folder / "outer"), HasSubstr("not a model"));
  fs::create_directories(folder / "outer" / "inner");
  ASSERT_TRUE(WriteFileAtomically(folder / "outer" / "inner" / "config.json", "{}").ok());
  EXPECT_THAT(Message(folder / "outer"), HasSubstr("its folder inner has a config.json"));
  ASSERT_TRUE(WriteFileAtomically(folder / "outer" / "adapter_config.json", "{}").ok());
  EXPECT_THAT(Message(folder / "outer"), HasSubstr("merge it into its model"));
}

TEST(ModelLoaderTest, ANameThatIsNotUtf8IsWrittenAndReadAgain) {
  const fs::path folder = Tiny();
  const fs::path odd = folder.parent_path() / "caf\xe9";
  fs::remove_all(odd);
  fs::rename(folder, odd);
  const absl::StatusOr<Model> model = LoadModel(odd);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->spec.name, "caf\xEF\xBF\xBD");
  EXPECT_TRUE(WriteContainer(*model, {}, odd / "container").ok());
  EXPECT_EQ(LoadModel(odd / "container")->spec.name, model->spec.name);
}

TEST(ModelLoaderTest, NamesTheTensorOfAWrongShape) {
  const fs::path folder = Tiny();
  EditJson(folder / "config.json", [](Json& config) { config["intermediate_size"] = 96; });
  EXPECT_THAT(Message(folder), HasSubstr("tensor \"model.layers.0.mlp.gate_proj.weight\" has shape [128, 64], "
                                         "the configuration wants [96, 64]"));
  EXPECT_THAT(Message(folder), HasSubstr(folder.string()));
}

TEST(ModelLoaderTest, NamesTheMissingTensor) {
  const fs::path folder = Tiny();
  EditJson(folder / "config.json", [](Json& config) { config["num_hidden_layers"] = 3; });
  EXPECT_THAT(Message(folder), HasSubstr("tensor \"model.layers.2.input_layernorm.weight\" of shape [64] is missing"));
  EditJson(folder / "config.json", [](Json& config) {
    config["num_hidden_layers"] = 2;
    config["tie_word_embeddings"] = false;
  });
  EXPECT_THAT(Message(folder), HasSubstr("\"lm_head.weight\" of shape [272, 64] is missing (the configuration says"));
}

// Every tensor renamed.
void Rename(const fs::path& path, const std::function<std::string(const std::string&)>& name) {
  EditHeader(path, [&](Json& header) {
    Json renamed = Json::object();
    for (const auto& [old, entry] : header.items()) renamed[old == "__metadata__" ? old : name(old)] = entry;
    header = renamed;
  });
}

TEST(ModelLoaderTest, AModelThatWasSavedWithoutItsHeadHasShorterNames) {
  const Model model = *LoadModel(Tiny());
  const fs::path folder = Tiny();
  Rename(folder / "model.safetensors", [](const std::string& name) { return name.substr(name.find('.') + 1); });
  const absl::StatusOr<Model> shorter = LoadModel(folder);
  ASSERT_TRUE(shorter.ok()) << shorter.status();
  ASSERT_EQ(shorter->parameters.size(), model.parameters.size());
  for (const auto& [name, tensor] : model.parameters) {
    EXPECT_EQ(tensor->Decode(), (*shorter->Find(name))->Decode()) << name;
  }
  EditJson(folder / "config.json", [](Json& config) { config["tie_word_embeddings"] = false; });
  EXPECT_THAT(Message(folder), HasSubstr("saved without its head"));
}

TEST(ModelLoaderTest, ATiedModelMayStoreItsHeadAlone) {
  const Model model = *LoadModel(Tiny());
  const fs::path folder = Tiny();
  Rename(folder / "model.safetensors",
         [](const std::string& name) { return name == kEmbeddingName ? std::string(kHeadName) : name; });
  const absl::StatusOr<Model> other = LoadModel(folder);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ((*other->Find(kEmbeddingName))->Decode(), (*model.Find(kEmbeddingName))->Decode());
  EXPECT_EQ(other->parameters.size(), model.parameters.size());
}

TEST(ModelLoaderTest, PrefixesOfWrappersAreNamed) {
  const std::pair<const char*, const char*> prefixes[] = {{"_orig_mod.", "torch.compile"},
                                                          {"module.", "DataParallel"},
                                                          {"language_model.", "several kinds of input"},
                                                          {"base_model.model.", "PEFT"},
                                                          {"student.", "prefix"}};
  for (const auto& [prefix, cause] : prefixes) {
    const fs::path folder = Tiny();
    Rename(folder / "model.safetensors", [&](const std::string& name) { return prefix + name; });
    EXPECT_THAT(Message(folder), HasSubstr(std::string("the file has \"") + prefix + "model.")) << prefix;
    EXPECT_THAT(Message(folder), HasSubstr(cause));
    EXPECT_THAT(Message(folder), HasSubstr(std::string("take \"") + prefix + "\" off every name"));
  }
}

TEST(ModelLoaderTest, AMissingTensorIsToldWithOneThatIsLeftOver) {
  const fs::path folder = Tiny();
  Rename(folder / "model.safetensors", [](const std::string& name) { return name + "_old"; });
  EXPECT_THAT(Message(folder), HasSubstr("tensors that are left over, \"model.embed_tokens.weight_old\""));
}

TEST(ModelLoaderTest, MinusOneIsNoStop) {
  const fs::path folder = Tiny();
  EditJson(folder / "config.json", [](Json& config) {
    config["eos_token_id"] = {-1, 5};
    config["bos_token_id"] = -1;
  });
  const absl::StatusOr<Model> model = LoadModel(folder);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->spec.eos_ids.front(), 5);
}

TEST(ModelLoaderTest, PackedWeightsWithoutSettingsAreNamed) {
  const fs::path folder = Tiny();
  EditHeader(folder / "model.safetensors", [](Json& header) {
    header["model.layers.0.mlp.down_proj.qweight"] = header["model.layers.0.mlp.down_proj.weight"];
    header["model.layers.0.mlp.down_proj.qweight"]["dtype"] = "I32";
    header.erase("model.layers.0.mlp.down_proj.weight");
  });
  EXPECT_THAT(Message(folder), HasSubstr("packed by GPTQ or AWQ"));
  EXPECT_THAT(Message(folder), HasSubstr("quantize_config.json"));
}

TEST(ModelLoaderTest, NamesTheUnexpectedTensor) {
  const fs::path folder = Tiny();
  EditJson(folder / "config.json", [](Json& config) { config["num_hidden_layers"] = 1; });
  EXPECT_THAT(Message(folder), HasSubstr("\"model.layers.1.input_layernorm.weight\" of shape [64] is none that a llama "
                                         "of 1 layers"));
  EXPECT_THAT(Message(folder), HasSubstr("9 such in all"));
}

TEST(ModelLoaderTest, IgnoresRotaryBuffers) {
  const fs::path folder = Tiny();
  EditHeader(folder / "model.safetensors", [](Json& header) {
    const uint64_t end = header["model.norm.weight"]["data_offsets"][1];
    header["model.layers.0.self_attn.rotary_emb.inv_freq"] = {
        {"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {end, end}}};
  });
  EXPECT_TRUE(LoadModel(folder).ok()) << Message(folder);
}

TEST(ModelLoaderTest, ATiedHeadMustBeTheEmbedding) {
  const fs::path folder = Tiny({.tied = false});
  EditJson(folder / "config.json", [](Json& config) { config["tie_word_embeddings"] = true; });
  EXPECT_THAT(Message(folder), HasSubstr("tensor \"lm_head.weight\" differs from \"model.embed_tokens.weight\""));
}

TEST(ModelLoaderTest, RefusesIntegersAsWeights) {
  const fs::path folder = Tiny();
  EditHeader(folder / "model.safetensors", [](Json& header) { header["model.norm.weight"]["dtype"] = "I32"; });
  EXPECT_THAT(Message(folder), HasSubstr("tensor \"model.norm.weight\": dtype I32 is not floating point"));
}

TEST(ModelLoaderTest, TruncatedWeightsAreNamed) {
  const fs::path folder = Tiny();
  const fs::path file = folder / "model.safetensors";
  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_EQ(LoadModel(folder).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(folder), HasSubstr("model.safetensors"));
}

TEST(ModelLoaderTest, IndexMustNameShardsThatAreThere) {
  const fs::path folder = Tiny({.sharded = true});
  const fs::path index = folder / "model.safetensors.index.json";
  const std::string original = *ReadFile(index);
  EditJson(index, [](Json& json) { json["weight_map"]["model.norm.weight"] = "../model-00002-of-00002.safetensors"; });
  EXPECT_EQ(LoadModel(folder).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(folder), HasSubstr("../model-00002"));
  ASSERT_TRUE(WriteFileAtomically(index, original).ok());
  fs::remove(folder / "model-00002-of-00002.safetensors");
  EXPECT_FALSE(LoadModel(folder).ok());
  EXPECT_THAT(Message(folder), HasSubstr("model-00002-of-00002.safetensors"));
}

// The golden folders: what transformers 5.23.0 wrote.
struct Golden {
  const char* name;
  const char* architecture;
  bool tied;
  int kv_heads;
  int head_size;
};

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }

class GoldenModelTest : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenModelTest, Loads) {
  const auto shared = tersor::testing::SharedPath();
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  absl::StatusOr<Model> model = LoadModel(*shared / "golden/tiny" / GetParam().name);
  ASSERT_TRUE(model.ok()) << model.status();
  const ModelSpec& spec = model->spec;
  EXPECT_EQ(spec.architecture, GetParam().architecture);
  EXPECT_EQ(spec.tied, GetParam().tied);
  EXPECT_EQ(spec.vocabulary, 160);
  EXPECT_EQ(spec.width, 64);
  ASSERT_EQ(spec.layers.size(), 3);
  const std::string name = GetParam().name;
  const LayerSpec& layer = spec.layers[1];
  EXPECT_EQ(layer.attention.heads, 4);
  EXPECT_EQ(layer.attention.kv_heads, GetParam().kv_heads);
  EXPECT_EQ(layer.attention.head_size, GetParam().head_size);
  EXPECT_EQ(layer.attention.qkv_bias, name == "llama_bias" || name == "qwen2");
  EXPECT_EQ(layer.attention.output_bias, name == "llama_bias");
  EXPECT_EQ(layer.mlp_bias, name == "llama_bias");
  EXPECT_EQ(layer.attention.qk_norm, name == "qwen3");
  EXPECT_EQ(layer.attention.sliding_window, name == "mistral_sliding" ? 8 : 0);
  EXPECT_EQ(layer.rope.llama3.has_value(), name.substr(0, 6) == "llama3");
  EXPECT_EQ(layer.rope.theta, name.substr(0, 6) == "llama3" ? 500000 : 10000);
  EXPECT_EQ(spec.norm_epsilon, name == "llama_tied" ? 1e-5 : 1e-6);
  EXPECT_THAT(spec.eos_ids, ElementsAre(2));
}

INSTANTIATE_TEST_SUITE_P(Supported, GoldenModelTest,
                         ::testing::Values(Golden{"llama_tied", "llama", true, 2, 16},
                                           Golden{"llama_bias", "llama", false, 4, 24},
                                           Golden{"llama3_rope_scaling", "llama", false, 2, 16},
                                           Golden{"llama3_rope_scaling_v4", "llama", false, 2, 16},
                                           Golden{"mistral_sliding", "mistral", false, 2, 16},
                                           Golden{"qwen2", "qwen2", true, 2, 16},
                                           Golden{"qwen3", "qwen3", false, 2, 32}));

}  // namespace
}  // namespace tersor
