// Against what the PyPI package compressed-tensors wrote and decoded: tests/tools/record_compressed_tensors.py.
#include <cstring>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/exports/compressed_tensors_config.h"
#include "core/exports/export_registry.h"
#include "core/exports/pack_quantized.h"
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
  std::memcpy(values.data(), bytes.data(), bytes.size());
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
  int compared = 0;
  for (const Json& layer : packed["layers"]) {
    // Tersor's scales are F16.
    if (layer["scale_dtype"] != "float16") continue;
    const std::string name = layer["name"];
    SCOPED_TRACE(name);
    const int bits = layer["bits"];
    const auto schemes = ParseCompressedTensorsConfig(config, {name});
    ASSERT_TRUE(schemes.ok()) << schemes.status();
    const PackedScheme expected = {bits, layer["group_size"], layer["symmetric"]};
    EXPECT_EQ(schemes->at(name), expected);

    const auto unpacked = UnpackQuantized(name, expected, file);
    ASSERT_TRUE(unpacked.ok()) << unpacked.status();
    EXPECT_EQ((*unpacked)->Decode(), FromHex<float>(layer, "decoded_f32_hex"));

    const int64_t group_size = expected.group_size == 0 ? -1 : expected.group_size;
    const auto weight = GroupIntTensor::Create(
        {layer["rows"], layer["columns"], bits, group_size}, Unsigned(FromHex<int8_t>(layer, "codes_i8_hex"), bits),
        FromHex<uint16_t>(layer, "scales_hex"), Unsigned(FromHex<int8_t>(layer, "zero_points_i8_hex"), bits));
    ASSERT_TRUE(weight.ok()) << weight.status();
    const auto parts = PackQuantized(name, **weight);
    ASSERT_TRUE(parts.ok()) << parts.status();
    for (const PackedTensor& part : *parts) {
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

// exported.json: what the package decodes of the folder that Tersor writes. To record it anew, keep the folder of this
// test and run record_compressed_tensors.py decode on it.
TEST(CompressedTensorsFixtureTest, ThePackageDecodesWhatTersorWrites) {
  const fs::path root = fs::path(::testing::TempDir()) / "compressed-tensors-fixture";
  fs::remove_all(root);
  const Model model = MixedModel(root / "source");
  fs::create_directories(root / "artifacts");
  const auto info = WriteExport("compressed-tensors", model, {}, root / "artifacts");
  ASSERT_TRUE(info.ok()) << info.status();
  const Json recorded = Json::parse(*ReadFile(Fixture() / "exported.json"));
  EXPECT_EQ(*Sha256HexOfFile(root / "artifacts" / "compressed-tensors" / "model.safetensors"),
            recorded["model_safetensors_sha256"])
      << "the folder is not the one that was recorded";
  size_t quantized = 0;
  for (const auto& [name, tensor] : model.parameters) quantized += tensor->encoding() == "group-int";
  EXPECT_EQ(recorded["layers"].size(), quantized);
  for (const Json& layer : recorded["layers"]) {
    const std::string name = absl::StrCat(layer["name"].get<std::string>(), ".weight");
    const EncodedTensorPtr weight = *model.Find(name);
    EXPECT_EQ(layer["shape"].get<Shape>(), weight->shape()) << name;
    const std::vector<float> values = weight->Decode();
    const absl::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    EXPECT_EQ(Sha256Hex(bytes), layer["sha256_f32"]) << name;
  }
  fs::remove_all(root);
}

}  // namespace
}  // namespace tersor
