#include "core/formats/quantization_settings.h"

#include <filesystem>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class QuantizationSettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("settings-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(const std::string& name, absl::string_view text) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, text).ok());
  }
  absl::StatusOr<QuantizationSettings> Find(const Json& config, bool packed = true) {
    return FindQuantizationSettings(config, folder_, [packed](absl::string_view) { return packed; });
  }

  fs::path folder_;
};

TEST_F(QuantizationSettingsTest, ConfigJsonComesFirst) {
  Write("quantize_config.json", R"({"bits": 3})");
  const auto settings = Find({{"quantization_config", {{"quant_method", "gptq"}, {"bits", 4}}}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->config["bits"], 4);
  EXPECT_TRUE(settings->file.empty());
}

TEST_F(QuantizationSettingsTest, FilesBesideItSayTheirMethodByTheirNameAndWords) {
  Write("quantize_config.json", R"({"bits": 4, "group_size": 128})");
  EXPECT_EQ(Find({{"quantization_config", nullptr}})->config["quant_method"], "gptq");
  EXPECT_EQ(Find(Json::object())->file, folder_ / "quantize_config.json");
  Write("quantize_config.json", R"({"w_bit": 4, "q_group_size": 128, "zero_point": true, "version": "GEMM"})");
  EXPECT_EQ(Find(Json::object())->config["quant_method"], "awq");
  fs::remove(folder_ / "quantize_config.json");
  Write("quant_config.json", R"({"bits": 4})");
  EXPECT_EQ(Find(Json::object())->config["quant_method"], "awq");
  Write("quant_config.json", R"({"bits": 4, "quant_method": "gptq"})");
  EXPECT_EQ(Find(Json::object())->config["quant_method"], "gptq");
}

TEST_F(QuantizationSettingsTest, AFileThatIsLeftOverBesidePlainWeightsSaysNothing) {
  Write("quantize_config.json", R"({"bits": 4})");
  EXPECT_TRUE(Find(Json::object(), /*packed=*/false)->config.is_null());
}

TEST_F(QuantizationSettingsTest, TheOldNameOfCompressedTensorsIsRead) {
  const Json groups = {{"group_0", Json::object()}};
  const auto flat = Find({{"compression_config", {{"quant_method", "compressed-tensors"}, {"config_groups", groups}}}});
  EXPECT_EQ(flat->config["config_groups"], groups);
  const auto nested =
      Find({{"compression_config",
             {{"sparsity_config", {{"format", "dense"}}}, {"quantization_config", {{"config_groups", groups}}}}}});
  EXPECT_EQ(nested->config["config_groups"], groups);
  EXPECT_EQ(nested->config["sparsity_config"]["format"], "dense");
  EXPECT_EQ(nested->config["quant_method"], "compressed-tensors");
}

TEST_F(QuantizationSettingsTest, AMissingMethodIsToldByTheWords) {
  const auto method = [&](const Json& settings) {
    return Find({{"quantization_config", settings}})->config["quant_method"];
  };
  EXPECT_EQ(method({{"config_groups", Json::object()}}), "compressed-tensors");
  EXPECT_EQ(method({{"bits", 4}, {"zero_point", true}}), "awq");
  EXPECT_EQ(method({{"bits", 4}, {"desc_act", false}}), "gptq");
  EXPECT_EQ(method({{"quant_method", "hqq"}, {"desc_act", false}}), "hqq");
  EXPECT_EQ(method({{"load_in_4bit", true}}), nullptr);
}

TEST_F(QuantizationSettingsTest, ABrokenFileIsNamed) {
  Write("quantize_config.json", "{");
  EXPECT_THAT(Find(Json::object()).status().message(), HasSubstr("quantize_config.json: not valid JSON"));
}

TEST(QuantizedTensorHintTest, SaysWhatIsMissing) {
  EXPECT_THAT(QuantizedTensorHint("model.layers.0.mlp.up_proj.qweight"), HasSubstr("quantize_config.json"));
  EXPECT_THAT(QuantizedTensorHint("model.layers.0.mlp.up_proj.weight_packed"), HasSubstr("compressed-tensors"));
  EXPECT_THAT(QuantizedTensorHint("model.layers.0.mlp.up_proj.weight.absmax"), HasSubstr("bitsandbytes"));
  EXPECT_THAT(QuantizedTensorHint("model.layers.0.mlp.up_proj.biases"), HasSubstr("MLX"));
  EXPECT_THAT(QuantizedTensorHint("model.layers.0.mlp.up_proj.bias"), IsEmpty());
  EXPECT_THAT(QuantizedTensorHint("model.layers.0.mlp.up_proj.weight"), IsEmpty());
}

}  // namespace
}  // namespace tersor
