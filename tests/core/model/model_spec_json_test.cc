#include "core/model/model_spec_json.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

// No field has its default value, so that a forgotten one shows.
ModelSpec FullSpec() {
  ModelSpec spec;
  spec.architecture = "qwen3";
  spec.name = "a name";
  spec.vocabulary = 1000;
  spec.width = 64;
  spec.context_length = 4096;
  spec.norm_epsilon = 1e-6;
  spec.tied = true;
  spec.bos_id = 1;
  spec.eos_ids = {2, 5};
  spec.pad_id = 3;
  LayerSpec layer;
  layer.attention = {.heads = 8,
                     .kv_heads = 2,
                     .head_size = 16,
                     .qkv_bias = true,
                     .output_bias = true,
                     .qk_norm = true,
                     .sliding_window = 128};
  layer.rope.theta = 500000.3;
  layer.rope.linear_factor = 2.5;
  layer.rope.llama3 = Llama3RopeScaling{8, 1.5, 4.5, 4096};
  layer.inner_width = 256;
  layer.mlp_bias = true;
  spec.layers = {layer, layer};
  spec.layers[1].rope.llama3.reset();
  spec.layers[1].attention.sliding_window = 0;
  return spec;
}

TEST(ModelSpecJsonTest, RoundTripsEveryField) {
  const Json json = SpecToJson(FullSpec());
  // Through text, as the container stores it.
  absl::StatusOr<ModelSpec> spec = SpecFromJson(Json::parse(json.dump()), "x");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(SpecToJson(*spec), json);
  EXPECT_EQ(spec->architecture, "qwen3");
  EXPECT_EQ(spec->norm_epsilon, 1e-6);
  EXPECT_EQ(spec->eos_ids, (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(spec->layers[0].rope.theta, 500000.3);
  EXPECT_EQ(spec->layers[0].rope.llama3->original_context, 4096);
  EXPECT_FALSE(spec->layers[1].rope.llama3.has_value());
  EXPECT_TRUE(spec->layers[0].attention.qk_norm);
}

TEST(ModelSpecJsonTest, FaultsAreNamed) {
  const std::vector<std::pair<std::function<void(Json&)>, std::string>> cases = {
      {[](Json& j) { j.erase("width"); }, "has no width"},
      {[](Json& j) { j["width"] = "64"; }, "width is not a whole number"},
      {[](Json& j) { j["width"] = 1.5; }, "width is not a whole number"},
      {[](Json& j) { j["width"] = uint64_t{1} << 63; }, "width is not a whole number"},
      {[](Json& j) { j["width"] = 0; }, "width is 0, outside"},
      {[](Json& j) { j["vocabulary"] = int64_t{1} << 60; }, "vocabulary is"},
      {[](Json& j) { j["norm_epsilon"] = -1; }, "norm_epsilon is not a positive"},
      {[](Json& j) { j["tied"] = 1; }, "tied is neither"},
      {[](Json& j) { j["name"] = nullptr; }, "name is not a string"},
      {[](Json& j) { j["layers"] = 3; }, "layers is not a list"},
      {[](Json& j) { j["eos_ids"] = {-4}; }, "eos_ids are not token ids"},
      {[](Json& j) { j["layers"][1] = 3; }, "layers[1] is not an object"},
      {[](Json& j) { j["layers"][1].erase("rope"); }, "layers[1] has no rope"},
      {[](Json& j) { j["layers"][1]["attention"]["kv_heads"] = 3; }, "layers[1].attention kv_heads does not divide"},
      {[](Json& j) { j["layers"][1]["attention"]["head_size"] = 15; }, "layers[1].attention head_size is odd"},
      {[](Json& j) { j["layers"][0]["rope"]["llama3"]["factor"] = 0; }, "layers[0].rope.llama3 factor is not"},
  };
  for (const auto& [change, message] : cases) {
    Json json = SpecToJson(FullSpec());
    change(json);
    const absl::Status status = SpecFromJson(json, "file: spec").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << message;
    EXPECT_THAT(status.message(), AllOf(HasSubstr("file: spec"), HasSubstr(message)));
  }
}

}  // namespace
}  // namespace tersor
