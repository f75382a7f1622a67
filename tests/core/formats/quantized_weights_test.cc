// Checkpoints of llm-compressor, AutoGPTQ and AutoAWQ, and what those tools decode them to:
// tests/tools/record_quantized_folders.py.
#include "core/formats/quantized_weights.h"

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

}  // namespace
}  // namespace tersor
