// Checkpoints of llm-compressor, AutoGPTQ and AutoAWQ, and what those tools decode them to:
// tests/tools/record_quantized_folders.py.
#include "core/formats/quantized_weights.h"

#include <cstring>
#include <filesystem>
#include <functional>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

struct Folder {
  const char* name;
  // Encoding of every quantized weight.
  const char* encoding;
  // Words of a note; empty for none.
  const char* note = "";
};

void PrintTo(const Folder& folder, std::ostream* out) { *out << folder.name; }

Json ConfigOf(const std::string& name) {
  return Json::parse(*ReadFile(testing::FixturesPath() / "quantized" / name / "config.json"))["quantization_config"];
}

Safetensors FileOf(const std::string& name) {
  return *ReadSafetensorsFolder(testing::FixturesPath() / "quantized" / name);
}

class QuantizedFolderTest : public ::testing::TestWithParam<Folder> {};

TEST_P(QuantizedFolderTest, DecodesAsItsOwnTool) {
  const std::string name = GetParam().name;
  const absl::StatusOr<QuantizedWeights> weights = ReadQuantizedWeights(ConfigOf(name), FileOf(name));
  ASSERT_TRUE(weights.ok()) << weights.status();
  const Json decoded = Json::parse(*ReadFile(testing::FixturesPath() / "quantized" / name / "decoded.json"));
  ASSERT_EQ(decoded["layers"].size(), 7);
  for (const Json& layer : decoded["layers"]) {
    const std::string tensor_name = layer["name"];
    ASSERT_TRUE(weights->tensors.contains(tensor_name)) << tensor_name;
    const EncodedTensorPtr tensor = weights->tensors.find(tensor_name)->second;
    EXPECT_EQ(tensor->encoding(), GetParam().encoding) << tensor_name;
    EXPECT_EQ(tensor->shape(), layer["shape"].get<Shape>()) << tensor_name;
    const std::vector<float> values = tensor->Decode();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(values[i], layer["first"][i].get<float>()) << tensor_name << " " << i;
    const absl::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    EXPECT_EQ(Sha256Hex(bytes), layer["sha256_f32"]) << tensor_name;
  }
  EXPECT_EQ(weights->notes.empty(), std::string(GetParam().note).empty());
  for (const std::string& note : weights->notes) EXPECT_THAT(note, HasSubstr(GetParam().note));
}

INSTANTIATE_TEST_SUITE_P(
    Tools, QuantizedFolderTest,
    ::testing::Values(Folder{"ct_w4_group32", "group-int"}, Folder{"ct_w4_asymmetric", "group-int"},
                      Folder{"ct_w3_group32", "group-int"}, Folder{"ct_w8a8", "quantized-input"},
                      Folder{"ct_fp8", "quantized-input"}, Folder{"ct_nvfp4", "codebook"},
                      Folder{"ct_mxfp4", "codebook"}, Folder{"ct_mxfp8", "codebook"}, Folder{"gptq_v1_w4", "group-int"},
                      Folder{"gptq_v1_w3_asymmetric", "group-int"}, Folder{"gptq_v1_w8", "group-int"},
                      Folder{"gptq_v2_w4_act_order", "indexed-int"}, Folder{"awq_w4", "group-int"}),
    [](const auto& info) { return std::string(info.param.name); });

// A fault put into a good checkpoint, and what the message must say.
struct Fault {
  const char* folder;
  const char* words;
  std::function<void(Json& config, Safetensors& file)> inject;
};

Tensor Truncated(const Tensor& tensor, int64_t rows) {
  Shape shape = tensor.shape();
  shape[0] = rows;
  const size_t bytes = tensor.bytes().size() / tensor.shape()[0] * rows;
  return *Tensor::Own(tensor.dtype(), shape,
                      std::vector<std::byte>(tensor.bytes().begin(), tensor.bytes().begin() + bytes));
}

const std::string kDown = "model.layers.0.mlp.down_proj";

TEST(QuantizedWeightsTest, FaultsAreNamed) {
  const std::vector<Fault> faults = {
      {"gptq_v1_w4", "bitsandbytes", [](Json& c, Safetensors&) { c["quant_method"] = "bitsandbytes"; }},
      {"gptq_v1_w4", "\"bits\"", [](Json& c, Safetensors&) { c.erase("bits"); }},
      {"gptq_v1_w4", "group_size", [](Json& c, Safetensors&) { c["group_size"] = 0; }},
      {"gptq_v1_w4", "marlin", [](Json& c, Safetensors&) { c["checkpoint_format"] = "marlin"; }},
      {"gptq_v1_w4", "the configuration says 8 bits", [](Json& c, Safetensors&) { c["bits"] = 8; }},
      {"gptq_v1_w4", "groups", [](Json& c, Safetensors&) { c["group_size"] = 16; }},
      {"gptq_v1_w4", "qzeros\" is missing", [](Json&, Safetensors& f) { f.tensors.erase(kDown + ".qzeros"); }},
      {"gptq_v1_w4", "packed words",
       [](Json&, Safetensors& f) { f.tensors[kDown + ".qzeros"] = Truncated(f.tensors[kDown + ".qzeros"], 1); }},
      {"gptq_v1_w4", "g_idx",
       [](Json&, Safetensors& f) { f.tensors[kDown + ".g_idx"] = f.tensors[kDown + ".scales"]; }},
      {"gptq_v2_w4_act_order", "in group 77",
       [](Json&, Safetensors& f) {
         std::vector<int32_t> index(96, 77);
         f.tensors[kDown + ".g_idx"] = *Tensor::Own(DType::kI32, {96}, std::move(index));
       }},
      {"awq_w4", "gemv", [](Json& c, Safetensors&) { c["version"] = "gemv"; }},
      {"awq_w4", "8 bits", [](Json& c, Safetensors&) { c["bits"] = 8; }},
      {"awq_w4", "groups of 64", [](Json& c, Safetensors&) { c["group_size"] = 64; }},
      {"awq_w4", "inputs in groups of",
       [](Json&, Safetensors& f) { f.tensors[kDown + ".qweight"] = f.tensors[kDown + ".scales"]; }},
      {"ct_w4_group32", "config_groups", [](Json& c, Safetensors&) { c.erase("config_groups"); }},
      {"ct_w4_group32", "no config group names it",
       [](Json& c, Safetensors&) { c["config_groups"]["group_0"]["targets"] = {"re:.*up_proj"}; }},
      {"ct_w4_group32", "weight_shape says",
       [](Json&, Safetensors& f) {
         f.tensors[kDown + ".weight_shape"] = *Tensor::Own(DType::kI64, {2}, std::vector<int64_t>{-4, 96});
       }},
      {"ct_w4_group32", "weight_scale has shape",
       [](Json&, Safetensors& f) {
         f.tensors[kDown + ".weight_scale"] = Truncated(f.tensors[kDown + ".weight_scale"], 5);
       }},
      {"ct_w4_group32", "do not divide",
       [](Json& c, Safetensors&) { c["config_groups"]["group_0"]["weights"]["group_size"] = 36; }},
      {"ct_w4_group32", "do not say how",
       [](Json& c, Safetensors&) { c["config_groups"]["group_0"]["weights"]["num_bits"] = 8; }},
      {"ct_w8a8", "does not fit into 4 bits",
       [](Json& c, Safetensors&) { c["config_groups"]["group_0"]["weights"]["num_bits"] = 4; }},
      {"ct_fp8", "integers", [](Json& c, Safetensors&) { c["config_groups"]["group_0"]["weights"]["type"] = "int"; }},
      {"ct_nvfp4", "weight_global_scale is missing",
       [](Json&, Safetensors& f) { f.tensors.erase(kDown + ".weight_global_scale"); }},
      {"ct_nvfp4", "beyond what its form can hold",
       [](Json&, Safetensors& f) {
         f.tensors[kDown + ".weight_global_scale"] = *Tensor::Own(DType::kF32, {1}, std::vector<float>{0});
       }},
      {"ct_nvfp4", "\"scales\"",
       [](Json&, Safetensors& f) {
         f.tensors[kDown + ".weight_scale"] = Truncated(f.tensors[kDown + ".weight_scale"], 5);
       }},
      {"ct_mxfp4", "two a byte",
       [](Json&, Safetensors& f) { f.tensors[kDown + ".weight_packed"] = f.tensors["model.norm.weight"]; }},
      {"ct_mxfp4", "do not divide",
       [](Json& c, Safetensors&) { c["config_groups"]["group_0"]["weights"]["group_size"] = 36; }},
      {"ct_w4_group32", "no config group names it",
       [](Json& c, Safetensors&) {
         c["config_groups"]["group_0"]["targets"] = {"LlamaAttention", "up_proj"};
       }},
      {"ct_fp8", "\"quantization_status\" frozen",
       [](Json& c, Safetensors& f) {
         c["quantization_status"] = "frozen";
         f.tensors[kDown + ".weight"] = *Tensor::Own(DType::kF16, {64, 96}, std::vector<uint16_t>(64 * 96));
       }},
      {"ct_w4_group32", "weight_zero_point holds other values than 0 (the first one is element 2)",
       [](Json&, Safetensors& f) {
         f.tensors[kDown + ".weight_zero_point"] = *Tensor::Own(DType::kI8, {3}, std::vector<int8_t>{0, 0, -1});
       }},
      {"ct_w4_group32", "no tensor ends in .weight_scale",
       [](Json&, Safetensors& f) {
         std::erase_if(f.tensors, [](const auto& t) { return t.first.find("weight_scale") != std::string::npos; });
       }},
      {"ct_w4_group32", "transform_config",
       [](Json& c, Safetensors&) {
         c["transform_config"] = {{"a", 1}};
       }},
  };
  for (const Fault& fault : faults) {
    SCOPED_TRACE(absl::StrCat(fault.folder, ": ", fault.words));
    Json config = ConfigOf(fault.folder);
    Safetensors file = FileOf(fault.folder);
    fault.inject(config, file);
    const absl::StatusOr<QuantizedWeights> weights = ReadQuantizedWeights(config, file);
    ASSERT_FALSE(weights.ok());
    EXPECT_THAT(weights.status().message(), HasSubstr(fault.words));
  }
}

std::vector<float> Decoded(const absl::StatusOr<QuantizedWeights>& weights, const std::string& module) {
  EXPECT_TRUE(weights.ok()) << weights.status();
  return weights.ok() ? weights->tensors.at(module + ".weight")->Decode() : std::vector<float>();
}

TEST(QuantizedWeightsTest, ScalesOfTheCacheAreNoWeights) {
  Json config = ConfigOf("ct_w4_group32");
  Safetensors file = FileOf("ct_w4_group32");
  const std::vector<float> expected = Decoded(ReadQuantizedWeights(config, file), kDown);
  const Tensor scale = *Tensor::Own(DType::kF32, {1}, std::vector<float>{0.5f});
  for (const char* name : {"q_scale", "k_scale", "v_scale", "k_zero_point", "k_proj.output_scale"}) {
    file.tensors[std::string("model.layers.0.self_attn.") + name] = scale;
  }
  const auto silent = ReadQuantizedWeights(config, file);
  EXPECT_EQ(Decoded(silent, kDown), expected);
  EXPECT_FALSE(silent->tensors.contains("model.layers.0.self_attn.k_scale"));
  ASSERT_EQ(silent->notes.size(), 1);
  EXPECT_THAT(silent->notes[0], HasSubstr("key-value cache"));
  config["kv_cache_scheme"] = {{"num_bits", 8}, {"type", "float"}};
  const auto told = ReadQuantizedWeights(config, file);
  ASSERT_EQ(told->notes.size(), 1);
  EXPECT_THAT(told->notes[0], HasSubstr("kv_cache_scheme"));
}

TEST(QuantizedWeightsTest, AQuantizedCacheAloneLeavesTheWeights) {
  Safetensors file = FileOf("ct_w4_group32");
  std::erase_if(file.tensors, [](const auto& t) { return t.first.find("_proj") != std::string::npos; });
  const size_t count = file.tensors.size();
  file.tensors["model.layers.0.self_attn.k_scale"] = *Tensor::Own(DType::kF32, {1}, std::vector<float>{0.5f});
  const auto weights = ReadQuantizedWeights({{"quant_method", "compressed-tensors"},
                                             {"config_groups", Json::object()},
                                             {"kv_cache_scheme", {{"num_bits", 8}}}},
                                            file);
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->tensors.size(), count);
}

TEST(QuantizedWeightsTest, TheFirstGroupThatTheTensorsFitCounts) {
  Json config = ConfigOf("ct_w4_group32");
  const Safetensors file = FileOf("ct_w4_group32");
  const std::vector<float> expected = Decoded(ReadQuantizedWeights(config, file), kDown);
  Json right = config["config_groups"]["group_0"], wrong = right;
  wrong["weights"]["num_bits"] = 8;
  right["targets"] = {"re:.*_proj"};
  wrong["targets"] = {"re:.*down.*"};
  config["config_groups"] = {{"group_0", wrong}, {"group_1", right}};
  EXPECT_EQ(Decoded(ReadQuantizedWeights(config, file), kDown), expected);
  // A class that a linear layer is not.
  wrong["targets"] = {"LlamaAttention"};
  config["config_groups"] = {{"group_0", wrong}, {"group_1", right}};
  EXPECT_EQ(Decoded(ReadQuantizedWeights(config, file), kDown), expected);
  right["targets"] = {"re:^(?!.*lm_head).*_proj$"};
  config["config_groups"] = {{"group_0", right}};
  EXPECT_EQ(Decoded(ReadQuantizedWeights(config, file), kDown), expected);
}

TEST(QuantizedWeightsTest, FrozenWeightsAreRoundedAsThePackageRoundsThem) {
  // tests/tools/record_frozen_weights.py.
  const std::filesystem::path folder = testing::FixturesPath() / "compressed_tensors";
  const Json recorded = Json::parse(*ReadFile(folder / "frozen.json"));
  const Safetensors all = *ReadSafetensors(folder / "frozen.safetensors");
  ASSERT_EQ(recorded["cases"].size(), 15);
  for (const auto& [name, arguments] : recorded["cases"].items()) {
    const Json config = {{"quant_method", "compressed-tensors"},
                         {"quantization_status", "frozen"},
                         {"config_groups", {{"group_0", {{"targets", {"Linear"}}, {"weights", arguments}}}}}};
    Safetensors file;
    for (const char* part : {".weight", ".weight_scale", ".weight_zero_point"}) {
      if (all.tensors.contains(name + part)) file.tensors["m" + std::string(part)] = all.tensors.at(name + part);
    }
    const std::vector<float> values = Decoded(ReadQuantizedWeights(config, file), "m");
    const Tensor& codes = all.tensors.at(name + ".codes");
    const Tensor& scales = all.tensors.at(name + ".weight_scale");
    std::vector<float> factors(scales.elements());
    ASSERT_TRUE(DecodeToFloat(scales, 0, scales.elements(), factors.data()).ok());
    const bool asymmetric = all.tensors.contains(name + ".weight_zero_point");
    ASSERT_EQ(values.size(), codes.elements()) << name;
    for (int64_t i = 0; i < codes.elements(); ++i) {
      const int64_t group = i * scales.elements() / codes.elements();
      const int zero = asymmetric ? all.tensors.at(name + ".weight_zero_point").as<int8_t>()[group] : 0;
      EXPECT_EQ(values[i], static_cast<float>(codes.as<int8_t>()[i] - zero) * factors[group]) << name << " " << i;
    }
  }
}

TEST(QuantizedWeightsTest, PackedWeightsOfAnEarlierStatusAreRead) {
  Json config = ConfigOf("ct_w4_group32");
  const Safetensors file = FileOf("ct_w4_group32");
  const std::vector<float> expected = Decoded(ReadQuantizedWeights(config, file), kDown);
  config["quantization_status"] = "frozen";
  EXPECT_EQ(Decoded(ReadQuantizedWeights(config, file), kDown), expected);
}

TEST(QuantizedWeightsTest, ZeroPointsOfZeroSurviveVersionOne) {
  // GPTQModel subtracts one from whole words: a zero point of 0 borrows from the next field.
  Json config = ConfigOf("gptq_v1_w4");
  Safetensors file = FileOf("gptq_v1_w4");
  const Tensor old = file.tensors[kDown + ".qzeros"];
  std::vector<uint32_t> words(old.elements(), 0x50320871u - 0x11111111u);
  file.tensors[kDown + ".qzeros"] = *Tensor::Own(DType::kI32, old.shape(), words);
  const absl::StatusOr<QuantizedWeights> first = ReadQuantizedWeights(config, file);
  ASSERT_TRUE(first.ok()) << first.status();
  std::fill(words.begin(), words.end(), 0x50320871u);
  file.tensors[kDown + ".qzeros"] = *Tensor::Own(DType::kI32, old.shape(), words);
  config["checkpoint_format"] = "gptq_v2";
  const absl::StatusOr<QuantizedWeights> second = ReadQuantizedWeights(config, file);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(first->tensors.at(kDown + ".weight")->Decode(), second->tensors.at(kDown + ".weight")->Decode());
}

// Adds to every word of the zero points.
void AddToZeros(Safetensors& file, uint32_t what) {
  for (auto& [name, tensor] : file.tensors) {
    if (name.find(".qzeros") == std::string::npos) continue;
    std::vector<uint32_t> words(tensor.bytes().size() / 4);
    std::memcpy(words.data(), tensor.bytes().data(), tensor.bytes().size());
    for (uint32_t& word : words) word += what;
    tensor = *Tensor::Own(tensor.dtype(), tensor.shape(), std::move(words));
  }
}

TEST(QuantizedWeightsTest, SymmetricZeroPointsTellTheVersion) {
  Json config = ConfigOf("gptq_v1_w4");
  Safetensors file = FileOf("gptq_v1_w4");
  const std::vector<float> expected = Decoded(ReadQuantizedWeights(config, file), kDown);
  // Version 1 under the name of version 2.
  config["checkpoint_format"] = "gptq_v2";
  auto weights = ReadQuantizedWeights(config, file);
  EXPECT_EQ(Decoded(weights, kDown), expected);
  ASSERT_EQ(weights->notes.size(), 1);
  EXPECT_THAT(weights->notes[0], HasSubstr("zero points of 7 layers"));
  // The other way round, and with no name at all.
  AddToZeros(file, 0x11111111u);
  EXPECT_EQ(Decoded(ReadQuantizedWeights(config, file), kDown), expected);
  EXPECT_TRUE(ReadQuantizedWeights(config, file)->notes.empty());
  for (const bool named : {true, false}) {
    config["checkpoint_format"] = "gptq";
    if (!named) config.erase("checkpoint_format");
    weights = ReadQuantizedWeights(config, file);
    EXPECT_EQ(Decoded(weights, kDown), expected);
    ASSERT_EQ(weights->notes.size(), 1);
    EXPECT_THAT(weights->notes[0], HasSubstr("\"gptq_v2\" does"));
  }
  // Without "sym", and where a module may have one of its own, zero points of 9 are possible.
  config["sym"] = false;
  EXPECT_NE(Decoded(ReadQuantizedWeights(config, file), kDown), expected);
  config["sym"] = true;
  config["dynamic"] = {{"+:.*", {{"sym", false}}}};
  EXPECT_NE(Decoded(ReadQuantizedWeights(config, file), kDown), expected);
}

TEST(QuantizedWeightsTest, ActOrderNeedsItsIndex) {
  Json config = ConfigOf("gptq_v2_w4_act_order");
  Safetensors file = FileOf("gptq_v2_w4_act_order");
  const std::vector<float> expected = Decoded(ReadQuantizedWeights(config, file), kDown);
  config["desc_act"] = false;
  const auto denied = ReadQuantizedWeights(config, file);
  EXPECT_EQ(Decoded(denied, kDown), expected);
  ASSERT_EQ(denied->notes.size(), 1);
  EXPECT_THAT(denied->notes[0], HasSubstr("the g_idx of 7 layers is in another order"));
  config["desc_act"] = true;
  std::erase_if(file.tensors, [](const auto& t) { return t.first.find("g_idx") != std::string::npos; });
  EXPECT_THAT(ReadQuantizedWeights(config, file).status().message(), HasSubstr("g_idx is missing"));
}

}  // namespace
}  // namespace tersor
