#include "core/lint/raw_gguf_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "core/base/atomic_file.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

// As the reference package decoded them: tests/tools/record_gguf_blocks.py.
TEST(RawGgufBlocksTest, DecodeAsTheReferenceDoes) {
  const auto fixture = nlohmann::json::parse(*ReadFile(testing::FixturesPath() / "gguf_blocks.json"));
  int compared = 0;
  for (const nlohmann::json& wanted : fixture["cases"]) {
    const RawGgufBlock* type = FindRawGgufBlock(wanted["type"].get<std::string>());
    if (type == nullptr) continue;
    ++compared;
    EXPECT_EQ(type->id, wanted["id"]);
    EXPECT_EQ(type->values, wanted["values"]);
    EXPECT_EQ(type->bytes, wanted["bytes"]);
    EXPECT_EQ(FindRawGgufBlock(type->id), type);
    const std::string blocks = absl::HexStringToBytes(wanted["blocks_hex"].get<std::string>());
    const std::string bytes = absl::HexStringToBytes(wanted["floats_hex"].get<std::string>());
    std::vector<float> floats(bytes.size() / sizeof(float));
    std::memcpy(floats.data(), bytes.data(), bytes.size());
    for (size_t i = 0; i < floats.size(); ++i) {
      const int64_t block = static_cast<int64_t>(i) / type->values, place = static_cast<int64_t>(i) % type->values;
      float largest = 0;
      for (int64_t j = 0; j < type->values; ++j) {
        largest = std::max(largest, std::fabs(floats[block * type->values + j]));
      }
      const auto* data = reinterpret_cast<const std::byte*>(blocks.data()) + block * type->bytes;
      // The reference computes in float.
      ASSERT_NEAR(type->value(data, place), floats[i], 1e-6 * largest) << type->name << " " << i;
    }
  }
  EXPECT_EQ(compared, 15);
}

}  // namespace
}  // namespace tersor
