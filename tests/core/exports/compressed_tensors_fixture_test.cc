// Against what the PyPI package compressed-tensors wrote and decoded: tests/tools/record_compressed_tensors.py.
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/encoding/float_token_format.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/exports/compressed_tensors_pack.h"
#include "core/exports/export_registry.h"
#include "core/formats/quantized_weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/core/exports/quantized_model.h"
#include "tests/testing/paths.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

fs::path Fixture() { return testing::FixturesPath() / "compressed_tensors"; }

template <typename T>
std::vector<T> FromHex(const Json& layer, const char* key) {
  const std::string bytes = absl::HexStringToBytes(layer[key].get<std::string>());
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// The package's signed codes as Tersor stores them.
std::vector<uint8_t> Unsigned(const std::vector<int8_t>& codes, int bits) {
  std::vector<uint8_t> shifted;
  for (const int8_t code : codes) shifted.push_back(static_cast<uint8_t>(code + (1 << (bits - 1))));
  return shifted;
}

TEST(CompressedTensorsFixtureTest, PacksAndUnpacksAsThePackageDoes) {
  const Safetensors file = *ReadSafetensors(Fixture() / "model.safetensors");
  const Json config = Json::parse(*ReadFile(Fixture() / "config.json"))["quantization_config"];
  const Json packed = Json::parse(*ReadFile(Fixture() / "packed.json"));
  const absl::StatusOr<QuantizedWeights> weights = ReadQuantizedWeights(config, file);
  ASSERT_TRUE(weights.ok()) << weights.status();
  int compared = 0;
  for (const Json& layer : packed["layers"]) {
    const std::string name = layer["name"];
    SCOPED_TRACE(name);
    EXPECT_EQ(weights->tensors.at(name + ".weight")->Decode(), FromHex<float>(layer, "decoded_f32_hex"));
    // Tersor's scales are F16.
    if (layer["scale_dtype"] != "float16") continue;
    const int bits = layer["bits"];
    const int64_t group_size = layer["group_size"] == 0 ? -1 : layer["group_size"].get<int64_t>();
    const auto weight = GroupIntTensor::Create(
        {layer["rows"], layer["columns"], bits, group_size}, Unsigned(FromHex<int8_t>(layer, "codes_i8_hex"), bits),
        FromHex<uint16_t>(layer, "scales_hex"), Unsigned(FromHex<int8_t>(layer, "zero_points_i8_hex"), bits));
    ASSERT_TRUE(weight.ok()) << weight.status();
    StoredForm form;
    form.encoding = "group-int";
    form.bits = bits;
    form.group_size = (*weight)->group_size();
    form.symmetric = (*weight)->symmetric();
    const auto parts = PackCompressedTensors(name, "pack-quantized", form, **weight);
    ASSERT_TRUE(parts.ok()) << parts.status();
    for (const NamedTensor& part : *parts) {
      const Tensor theirs = *file.Find(part.name);
      EXPECT_EQ(part.tensor.dtype(), theirs.dtype()) << part.name;
      EXPECT_EQ(part.tensor.shape(), theirs.shape()) << part.name;
      EXPECT_TRUE(std::ranges::equal(part.tensor.bytes(), theirs.bytes())) << part.name;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 4);
}

// The tiny model with 4-bit layers with offsets and, so that there are two groups, one of 8 bits.
Model MixedModel(const fs::path& folder) {
  Model model = *LoadModel(*testing::WriteTinyModel(folder, {.tied = false}));
  QuantizeBlocks(model, 4, 32, /*symmetric=*/false);
  for (const char* name : {"lm_head.weight", "model.layers.1.mlp.gate_proj.weight"}) {
    model.parameters[name] = RoundToGroups(*model.parameters[name], 8, 64, /*symmetric=*/true);
  }
  return model;
}

// Every form that the format has words for, each in a layer of its own.
Model ModelOfEveryForm(const fs::path& folder) {
  Model model = *LoadModel(*testing::WriteTinyModel(folder, {.tied = false}));
  QuantizeBlocks(model, 4, 32, /*symmetric=*/true);
  const auto layer = [&](const char* name) -> EncodedTensorPtr& {
    return model.parameters[absl::StrCat("model.layers.0.", name, ".weight")];
  };
  const auto int8_inputs = [](const EncodedTensorPtr& weight) {
    return *InputFormatTensor::Create(weight, *IntTokenFormat::Create(weight->columns(), {}));
  };
  EncodedTensorPtr& q = layer("self_attn.q_proj");
  q = int8_inputs(RoundToGroups(*q, 8, q->columns(), true));
  EncodedTensorPtr& k = layer("self_attn.k_proj");
  k = int8_inputs(RoundToGroups(*k, 4, 32, false));
  EncodedTensorPtr& v = layer("self_attn.v_proj");
  v = *InputFormatTensor::Create(RoundToBook(*v, E4m3Book(), -1, ScaleForm::kF32),
                                 *FloatTokenFormat::Create(v->columns(), {&E4m3Book()}));
  EncodedTensorPtr& o = layer("self_attn.o_proj");
  o = RoundToGroups(*o, 3, 32, false);
  EncodedTensorPtr& gate = layer("mlp.gate_proj");
  gate = RoundToBook(*gate, E2m1Book(), 16, ScaleForm::kE4m3Over);
  EncodedTensorPtr& up = layer("mlp.up_proj");
  up = RoundToBook(*up, E2m1Book(), 32, ScaleForm::kE8m0);
  EncodedTensorPtr& down = layer("mlp.down_proj");
  down = RoundToBook(*down, E4m3Book(), 32, ScaleForm::kE8m0);
  return model;
}

// What the package decodes of the folder that Tersor writes. To record it anew, run this test with
// TERSOR_KEEP_EXPORT=FOLDER and record_compressed_tensors.py decode FOLDER/NAME/compressed-tensors.
void ExpectThePackageDecodes(const Model& model, const std::string& name) {
  const char* kept = std::getenv("TERSOR_KEEP_EXPORT");
  const fs::path root = fs::path(kept != nullptr ? kept : ::testing::TempDir()) / name;
  fs::create_directories(root);
  const auto info = WriteExport("compressed-tensors", model, {}, root);
  ASSERT_TRUE(info.ok()) << info.status();
  const Json recorded = Json::parse(*ReadFile(Fixture() / (name + ".json")));
  EXPECT_EQ(*Sha256HexOfFile(root / "compressed-tensors" / "model.safetensors"), recorded["model_safetensors_sha256"])
      << "the folder is not the one that was recorded";
  size_t quantized = 0;
  for (const auto& [parameter, tensor] : model.parameters) quantized += tensor->encoding() != "dense";
  EXPECT_EQ(recorded["layers"].size(), quantized);
  for (const Json& layer : recorded["layers"]) {
    const std::string parameter = absl::StrCat(layer["name"].get<std::string>(), ".weight");
    const EncodedTensorPtr weight = *model.Find(parameter);
    EXPECT_EQ(layer["shape"].get<Shape>(), weight->shape()) << parameter;
    const std::vector<float> values = weight->Decode();
    const absl::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    EXPECT_EQ(Sha256Hex(bytes), layer["sha256_f32"]) << parameter;
  }
  if (kept == nullptr) fs::remove_all(root);
}

TEST(CompressedTensorsFixtureTest, ThePackageDecodesWhatTersorWrites) {
  const fs::path source = fs::path(::testing::TempDir()) / "compressed-tensors-source";
  ExpectThePackageDecodes(MixedModel(source), "exported");
  fs::remove_all(source);
  ExpectThePackageDecodes(ModelOfEveryForm(source), "exported_forms");
  fs::remove_all(source);
}

}  // namespace
}  // namespace tersor
