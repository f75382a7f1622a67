// The demo model and what transformers answered for it.
#ifndef TERSOR_TESTS_CORE_MODEL_DEMO_GOLDEN_H_
#define TERSOR_TESTS_CORE_MODEL_DEMO_GOLDEN_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/encoding/dense_tensor.h"
#include "core/model/model.h"
#include "core/tensor/float16.h"
#include "core/tokenizer/tokenizer.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {

inline nlohmann::json ReadJsonFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

// `model` with all weights rounded to half precision. The reference's answers were computed from such weights (its
// reader of GGUF files makes them), which moves logits by up to 1e-3 of the largest.
inline Model RoundedToHalf(Model model) {
  for (auto& [name, tensor] : model.parameters) {
    std::vector<float> values = tensor->Decode();
    for (float& value : values) value = F16ToFloat(FloatToF16(value));
    tensor = *DenseTensor::FromFloats(tensor->shape(), std::move(values));
  }
  return model;
}

// Skips where the golden data or the demo model is missing.
class DemoGoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto shared = testing::SharedPath();
    if (!shared) GTEST_SKIP() << "no folder of golden data (TERSOR_SHARED)";
    const auto path = testing::DemoModelPath();
    if (!path) GTEST_SKIP() << "no demo model (TERSOR_DEMO_MODEL)";
    auto model = LoadModel(*path);
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
    auto tokenizer = Tokenizer::FromJson(model_.assets.tokenizer_json);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
    golden_ = *shared / "golden" / "smollm2-135m";
    data_ = *shared / "data";
  }

  std::vector<int32_t> Encode(const std::string& text) {
    auto ids = tokenizer_->Encode(text);
    EXPECT_TRUE(ids.ok()) << ids.status();
    return *std::move(ids);
  }

  Model model_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::filesystem::path golden_, data_;
};

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_MODEL_DEMO_GOLDEN_H_
