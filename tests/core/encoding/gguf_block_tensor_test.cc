#include "core/encoding/gguf_block_tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "absl/strings/escaping.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/encoding/encoding_registry.h"
#include "core/tensor/float16.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

// Blocks as the reference package decoded them: tests/tools/record_gguf_blocks.py.
nlohmann::json Fixture() {
  return nlohmann::json::parse(*ReadFile(tersor::testing::FixturesPath() / "gguf_blocks.json"));
}

Tensor Bytes(const std::string& bytes) {
  const int64_t size = static_cast<int64_t>(bytes.size());
  return *Tensor::Own(DType::kU8, {size}, std::vector<char>(bytes.begin(), bytes.end()));
}

std::vector<float> DecodeHex(const GgufBlockType& type, const nlohmann::json& hex) {
  const std::string blocks = absl::HexStringToBytes(hex.get<std::string>());
  const int64_t count = static_cast<int64_t>(blocks.size()) / type.bytes;
  std::vector<float> decoded(count * type.values);
  type.decode(reinterpret_cast<const std::byte*>(blocks.data()), count, decoded.data());
  return decoded;
}

TEST(GgufBlockTypesTest, DecodeToTheReferencesBits) {
  const nlohmann::json fixture = Fixture();
  // The reference does not decode Q8_K.
  ASSERT_EQ(fixture["cases"].size() + 1, GgufBlockTypes().size());
  for (const nlohmann::json& wanted : fixture["cases"]) {
    const GgufBlockType* type = FindGgufBlockType(wanted["type"].get<std::string>());
    ASSERT_NE(type, nullptr) << wanted["type"];
    EXPECT_EQ(type->id, wanted["id"]);
    EXPECT_EQ(type->values, wanted["values"]);
    EXPECT_EQ(type->bytes, wanted["bytes"]);
    EXPECT_EQ(FindGgufBlockType(type->id), type);
    const std::string floats = absl::HexStringToBytes(wanted["floats_hex"].get<std::string>());
    const std::vector<float> decoded = DecodeHex(*type, wanted["blocks_hex"]);
    ASSERT_EQ(decoded.size() * sizeof(float), floats.size());
    EXPECT_EQ(std::memcmp(decoded.data(), floats.data(), floats.size()), 0) << type->name;
  }
}

TEST(GgufBlockTypesTest, DecodeAnyBytesToTheReferencesBits) {
  for (const nlohmann::json& wanted : Fixture()["cases"]) {
    const GgufBlockType* type = FindGgufBlockType(wanted["type"].get<std::string>());
    ASSERT_NE(type, nullptr) << wanted["type"];
    std::vector<float> decoded = DecodeHex(*type, wanted["hostile_hex"]);
    for (float& value : decoded) {
      if (std::isnan(value)) value = std::bit_cast<float>(0x7fc00000u);
    }
    const absl::string_view bytes(reinterpret_cast<const char*>(decoded.data()), decoded.size() * sizeof(float));
    EXPECT_EQ(Sha256Hex(bytes), wanted["hostile_sha256"]) << type->name;
  }
}

TEST(GgufBlockTypesTest, Q8KIsAFloatTimesBytes) {
  const GgufBlockType& type = *FindGgufBlockType("Q8_K");
  std::vector<std::byte> block(static_cast<size_t>(type.bytes), std::byte{0xff});
  const float d = 0.375f;
  std::memcpy(block.data(), &d, sizeof(d));
  for (int i = 0; i < 256; ++i) block[4 + i] = static_cast<std::byte>(i);
  std::vector<float> decoded(256);
  type.decode(block.data(), 1, decoded.data());
  for (int i = 0; i < 256; ++i) EXPECT_EQ(decoded[i], 0.375f * static_cast<float>(i < 128 ? i : i - 256)) << i;
}

// One value at a time, straight from the format's description.
float PlainQ4_1(const std::byte* block, int i) {
  uint16_t d, m;
  std::memcpy(&d, block, 2);
  std::memcpy(&m, block + 2, 2);
  const int byte = static_cast<int>(block[4 + i % 16]);
  const float product = F16ToFloat(d) * static_cast<float>(i < 16 ? byte & 15 : byte >> 4);
  return product + F16ToFloat(m);
}

TEST(GgufBlockTensorTest, DecodesAnyRowsAtAnyAlignment) {
  std::mt19937 random(3);
  const GgufBlockType& type = *FindGgufBlockType("Q4_1");
  std::vector<std::byte> bytes(1 + 5 * 3 * 20);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0x3f);
  const std::span<const std::byte> odd(bytes.data() + 1, 5 * 3 * 20);
  EncodedTensorPtr tensor = *GgufBlockTensor::Create(type, {5, 96}, *Tensor::View(DType::kU8, {300}, odd, nullptr));
  EXPECT_EQ(tensor->byte_size(), 300);
  std::vector<float> all = tensor->Decode();
  for (int i = 0; i < 5 * 96; ++i) ASSERT_EQ(all[i], PlainQ4_1(odd.data() + i / 32 * 20, i % 32)) << i;
  std::vector<float> some(2 * 96);
  tensor->DecodeRows(3, 2, some.data());
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin() + 3 * 96));
}

TEST(GgufBlockTensorTest, RoundTripsThroughItsFields) {
  for (const GgufBlockType& type : GgufBlockTypes()) {
    const std::string bytes(static_cast<size_t>(3 * type.bytes), '\x11');
    EncodedTensorPtr tensor = *GgufBlockTensor::Create(type, {3, type.values}, Bytes(bytes));
    absl::StatusOr<EncodedTensorPtr> again =
        DecodeFields(tensor->encoding(), tensor->shape(), tensor->Fields(), tensor->Parameters());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ((*again)->Decode(), tensor->Decode());
    EXPECT_EQ((*again)->Parameters()["type"].get<std::string>(), type.name);
  }
}

TEST(GgufBlockTensorTest, RefusesWhatDoesNotFit) {
  const GgufBlockType& type = *FindGgufBlockType("Q8_0");
  EXPECT_THAT(GgufBlockTensor::Create(type, {1, 33}, Bytes(std::string(34, 0))).status().message(),
              HasSubstr("multiple of the 32"));
  EXPECT_THAT(GgufBlockTensor::Create(type, {2, 32}, Bytes(std::string(67, 0))).status().message(),
              HasSubstr("takes 68 bytes, there are 67"));
  EXPECT_FALSE(GgufBlockTensor::Create(type, {1, 1, 32}, Bytes(std::string(34, 0))).ok());
  EXPECT_FALSE(GgufBlockTensor::Create(type, {int64_t{1} << 60, 32}, Bytes(std::string(34, 0))).ok());
  EXPECT_FALSE(GgufBlockTensor::Create(type, {-1, 32}, Bytes("")).ok());
  const std::vector<EncodedField> fields = {{"blocks", Bytes(std::string(34, 0))}};
  EXPECT_TRUE(DecodeFields("gguf-block", {1, 32}, fields, {{"type", "Q8_0"}}).ok());
  EXPECT_FALSE(DecodeFields("gguf-block", {1, 32}, fields, {{"type", "Q9_9"}}).ok());
  EXPECT_FALSE(DecodeFields("gguf-block", {1, 32}, fields, {{"type", 8}}).ok());
  EXPECT_FALSE(DecodeFields("gguf-block", {1, 32}, {{"codes", fields[0].tensor}}, {{"type", "Q8_0"}}).ok());
}

}  // namespace
}  // namespace tersor
