// What every method of the family owes: the whole way through a small model, and an answer to bad input.
#include <cmath>
#include <limits>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "core/compress/compress_model.h"
#include "core/compress/method_registry.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/dense_tensor.h"
#include "core/model/container.h"
#include "core/model/hidden_states.h"
#include "core/model/integer_products.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/core/compress/collecting_sink.h"
#include "tests/core/compress/memory_checkpoint.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

struct MethodCase {
  std::string name;
  // A QuantizeStage.
  std::string stage;
  // A group size that the method takes, to be replaced by one that is larger than a row; empty where it has none.
  std::string group_size;
};

// Otherwise the bytes of the struct, addresses among them, would stand in the list of tests.
void PrintTo(const MethodCase& method, std::ostream* out) { *out << method.stage; }

std::vector<MethodCase> MethodCases() {
  return {{"rtn", "rtn { bits: 4 group_size: 32 }", "group_size: 32"},
          {"rtn_w8a8", "rtn { bits: 8 group_size: -1 } activations {}", "group_size: -1"},
          {"gptq", "gptq { bits: 3 group_size: 32 }", "group_size: 32"},
          {"gptq_w4a8", "gptq { group_size: 32 } activations { symmetric: false }", "group_size: 32"},
          {"awq", "awq { bits: 4 group_size: 32 grid: 5 }", "group_size: 32"},
          {"smoothquant", "smoothquant { group_size: -1 }", "group_size: -1"},
          {"smoothquant_all", "smoothquant { alpha: 0.8 fold: 'all' } activations { scale: 'tensor' }", ""},
          {"llm_int8", "llm_int8 { threshold: 1.5 }", ""},
          {"zeroquant", "zeroquant { bits: 4 group_size: 32 }", "group_size: 32"},
          {"fp8", "fp8 { group_size: -1 }", "group_size: -1"},
          {"fp8_wide", "fp8 { format: 'e5m2' power_of_two_scales: true }", ""},
          {"nf4", "nf4 { group_size: 32 }", "group_size: 32"},
          {"mxfp4", "mxfp4 {} activations { format: 'mxfp8' }", ""},
          {"nvfp4", "nvfp4 {} activations { format: 'nvfp4' }", ""},
          {"zeroquant_fp", "zeroquant_fp { group_size: 32 scale_constraint: 'm2' lorc_rank: 4 }", "group_size: 32"},
          {"bcq", "bcq { planes: 3 group_size: 32 rounds: 5 }", "group_size: 32"},
          {"bcq_paper", "bcq { planes: 3 group_size: 32 rounds: 5 input_weighting: false }", "group_size: 32"},
          {"outlier_suppression_plus", "outlier_suppression_plus { group_size: -1 grid: 5 }", "group_size: -1"},
          {"os_static", "outlier_suppression_plus { grid: 3 } activations { bits: 6 scale: 'tensor' }", ""},
          {"rptq", "rptq { group_size: 32 clusters: 5 }", "group_size: 32"},
          {"olive", "olive { group_size: 32 }", "group_size: 32"},
          {"olive8", "olive { bits: 8 }", ""},
          {"owq", "owq { bits: 4 group_size: 32 float_columns: 0.05 }", "group_size: 32"},
          {"owq_zero_points", "owq { group_size: 32 symmetric: false } activations {}", "group_size: 32"},
          {"spqr", "spqr { group_size: 16 }", "group_size: 16"},
          {"spqr_coarse", "spqr { bits: 4 group_size: 32 scale_bits: 4 scale_group: 8 outliers: 0.02 }", ""}};
}

class MethodsTest : public ::testing::TestWithParam<MethodCase> {
 protected:
  MethodsTest() {
    model_ = *LoadModel(*testing::WriteTinyModel(folder_.path() / "model", {.layers = 2}));
    TakeTokens({40, 7, 33});
  }
  void TakeTokens(const std::vector<int64_t>& lengths) {
    std::mt19937 random(1);
    calibration_ = {};
    calibration_.offsets = {0};
    for (const int64_t length : lengths) {
      for (int64_t i = 0; i < length; ++i) calibration_.ids.push_back(random() % testing::kTinyVocabulary);
      calibration_.offsets.push_back(static_cast<int64_t>(calibration_.ids.size()));
    }
  }
  static v1::Recipe Recipe(const std::string& stage) {
    v1::Recipe recipe;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stage, recipe.add_stages()->mutable_quantize())) << stage;
    return recipe;
  }
  absl::StatusOr<CompressionResult> Compress(Model& model, int threads = 1, BlockCheckpoint* checkpoint = nullptr) {
    return CompressModel(model, Recipe(GetParam().stage), calibration_, {.threads = threads}, checkpoint, sink_,
                         nullptr);
  }
  std::vector<float> Hidden(const Model& model) {
    return *HiddenStates(model, calibration_.ids, calibration_.offsets, {}, nullptr, nullptr);
  }
  // ||a - b||^2 / ||a||^2.
  static double Distance(const std::vector<float>& a, const std::vector<float>& b) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      difference += std::pow(a[i] - b[i], 2);
      norm += std::pow(a[i], 2);
    }
    return difference / norm;
  }
  void SetParameter(const std::string& name, const std::function<void(std::vector<float>&)>& change) {
    const EncodedTensorPtr old = model_.parameters.at(name);
    std::vector<float> values = old->Decode();
    change(values);
    model_.parameters[name] = *DenseTensor::FromFloats(old->shape(), std::move(values));
  }
  void ExpectRefusal(const std::string& first, const std::string& second) {
    Model model = model_;
    const absl::Status status = Compress(model).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(first));
    EXPECT_THAT(std::string(status.message()), HasSubstr(second));
  }
  void ExpectWorks(double most_distance) {
    Model model = model_;
    const auto result = Compress(model);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->layers.size(), 14);
    warnings_ = result->warnings;
    for (const v1::LayerResult& layer : result->layers) EXPECT_TRUE(std::isfinite(layer.relative_error()));
    const double distance = Distance(Hidden(model_), Hidden(model));
    EXPECT_LT(distance, most_distance);
  }

  testing::ScratchFolder folder_;
  Model model_;
  CalibrationTokens calibration_;
  // Of the last job that worked.
  std::vector<v1::Warning> warnings_;
  testing::CollectingSink sink_;
};

TEST_P(MethodsTest, CompressesAModelAsPlanned) {
  std::vector<FieldViolation> violations;
  const CompressionPlan plan = PlanCompression(model_, Recipe(GetParam().stage), {80, 80}, {}, violations);
  ASSERT_TRUE(violations.empty()) << violations[0].field << ": " << violations[0].description;
  Model model = model_;
  const auto result = Compress(model);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->layers.size(), 14);
  uint64_t planned = 0, actual = 0;
  for (const auto& [name, encoding] : plan.encodings) {
    const EncodedTensor& tensor = *model.parameters.at(name);
    EXPECT_EQ(tensor.weight().encoding(), encoding.encoding) << name;
    EXPECT_EQ(tensor.input_format() == nullptr ? "" : tensor.input_format()->name(), encoding.input_format) << name;
    EXPECT_EQ(StoredProducts(tensor), PlannedProducts(encoding, tensor.columns())) << name;
    planned += encoding.bytes;
    actual += tensor.byte_size();
  }
  EXPECT_EQ(plan.encodings.size(), 14);
  EXPECT_LE(actual, planned);
  EXPECT_GE(static_cast<double>(actual), 0.9 * static_cast<double>(planned));
  for (const v1::LayerResult& layer : result->layers) {
    EXPECT_GT(layer.relative_error(), 0) << layer.name();
    EXPECT_LT(layer.relative_error(), 0.2) << layer.name();
    const EncodedTensor& tensor = *model.parameters.at(layer.name() + ".weight");
    EXPECT_DOUBLE_EQ(layer.true_bits() * static_cast<double>(tensor.elements()), 8.0 * tensor.byte_size());
  }
  EXPECT_LT(Distance(Hidden(model_), Hidden(model)), 0.5);
}

TEST_P(MethodsTest, TheContainerKeepsIt) {
  Model model = model_;
  ASSERT_TRUE(Compress(model).ok());
  ASSERT_TRUE(WriteContainer(model, {}, folder_.path() / "out").ok());
  const auto container = ReadContainer(folder_.path() / "out", /*verify_hash=*/true);
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(Hidden(container->model), Hidden(model));
}

TEST_P(MethodsTest, ThreadsAndInterruptionsChangeNothing) {
  Model one = model_, resumed = model_, broken = model_;
  ASSERT_TRUE(Compress(one).ok());
  testing::MemoryCheckpoint checkpoint;
  checkpoint.after_save = [](int block) { return block == 0 ? absl::AbortedError("killed") : absl::OkStatus(); };
  EXPECT_EQ(Compress(broken, 1, &checkpoint).status().code(), absl::StatusCode::kAborted);
  checkpoint.after_save = nullptr;
  ASSERT_TRUE(Compress(resumed, 3, &checkpoint).ok());
  for (const auto& [name, tensor] : one.parameters) {
    EXPECT_EQ(tensor->Decode(), resumed.parameters.at(name)->Decode()) << name;
  }
  EXPECT_EQ(Hidden(one), Hidden(resumed));
}

TEST_P(MethodsTest, WeightsThatAreNoNumbersAreNamed) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    SetParameter("model.layers.0.mlp.down_proj.weight", [&](std::vector<float>& values) { values[130] = value; });
    ExpectRefusal("model.layers.0.mlp.down_proj", "[1, 2]");
  }
}

TEST_P(MethodsTest, InputsThatAreNoNumbersAreNamed) {
  Model model = model_;
  std::vector<FieldViolation> violations;
  if (!PlanCompression(model_, Recipe(GetParam().stage), {80, 80}, {}, violations).needs_calibration)
    GTEST_SKIP() << "reads no text";
  SetParameter("model.layers.0.input_layernorm.weight",
               [](std::vector<float>& values) { values[5] = std::numeric_limits<float>::quiet_NaN(); });
  ExpectRefusal("inputs of model.layers.0.self_attn.q_proj", "input 5 of calibration token 0");
}

TEST_P(MethodsTest, DeadChannelsAndRows) {
  // Inputs that are always zero, weights that are zero for a row, a column and a whole layer.
  SetParameter("model.layers.0.input_layernorm.weight", [](std::vector<float>& values) { values[3] = values[4] = 0; });
  SetParameter("model.layers.0.mlp.up_proj.weight", [](std::vector<float>& values) {
    for (int i = 0; i < 64; ++i) values[7 * 64 + i] = values[i * 64 + 9] = 0;
  });
  SetParameter("model.layers.1.self_attn.o_proj.weight",
               [](std::vector<float>& values) { std::fill(values.begin(), values.end(), 0.0f); });
  ExpectWorks(0.5);
}

TEST_P(MethodsTest, ConstantRows) {
  SetParameter("model.layers.0.mlp.gate_proj.weight", [](std::vector<float>& values) {
    for (int i = 0; i < 64; ++i) values[i] = 0.25f, values[64 + i] = -0.125f;
  });
  ExpectWorks(0.5);
}

TEST_P(MethodsTest, OneSampleOfFewerTokensThanColumns) {
  TakeTokens({11});
  ExpectWorks(0.5);
}

TEST_P(MethodsTest, OutliersOfTenThousand) {
  // One input a thousand times the others', and one weight.
  SetParameter("model.layers.0.post_attention_layernorm.weight",
               [](std::vector<float>& values) { values[11] *= 1e4f; });
  SetParameter("model.layers.1.mlp.down_proj.weight", [](std::vector<float>& values) { values[77] = 1e4f; });
  ExpectWorks(std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::any_of(warnings_.begin(), warnings_.end(), [](const v1::Warning& warning) {
    return warning.code() == "EXTREME_OUTLIERS" && warning.where() == "model.layers.1.mlp.down_proj" &&
           absl::StrContains(warning.message(), "weights of input channel");
  }));
}

TEST_P(MethodsTest, AllLayersSkipped) {
  Model model = model_;
  v1::Recipe recipe = Recipe(GetParam().stage);
  recipe.mutable_stages(0)->mutable_quantize()->add_skip("re:.*");
  const auto result = CompressModel(model, recipe, calibration_, {}, nullptr, sink_, nullptr);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->layers.empty());
  EXPECT_EQ(model.ByteSize(), model_.ByteSize());
}

TEST_P(MethodsTest, GroupsLargerThanTheRowAreAPlannedFault) {
  if (GetParam().group_size.empty()) GTEST_SKIP() << "has no groups to choose";
  const std::string stage = absl::StrReplaceAll(GetParam().stage, {{GetParam().group_size, "group_size: 4096"}});
  std::vector<FieldViolation> violations;
  PlanCompression(model_, Recipe(stage), {80, 80}, {}, violations);
  ASSERT_FALSE(violations.empty());
  EXPECT_THAT(violations[0].field, HasSubstr(".group_size"));
  EXPECT_THAT(violations[0].description, HasSubstr("does not divide"));
}

INSTANTIATE_TEST_SUITE_P(Methods, MethodsTest, ::testing::ValuesIn(MethodCases()),
                         [](const auto& info) { return info.param.name; });

TEST(MethodRegistryTest, EveryMethodHasACase) {
  std::set<std::string> tested;
  for (const MethodCase& method : MethodCases()) tested.insert(method.stage.substr(0, method.stage.find(' ')));
  for (const MethodDescription& method : QuantizeMethods()) EXPECT_TRUE(tested.contains(method.name)) << method.name;
}

TEST(MethodRegistryTest, RefusesCombinationsThatMakeNoSense) {
  const auto faults = [](const std::string& text) {
    v1::QuantizeStage stage;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &stage)) << text;
    std::vector<FieldViolation> violations;
    MakeMethod(stage, "stages[0].quantize", violations);
    std::string all;
    for (const FieldViolation& violation : violations) {
      absl::StrAppend(&all, violation.field, ": ", violation.description, "\n");
    }
    return all;
  };
  for (const char* method : {"llm_int8 {}", "rptq {}", "olive {}"}) {
    EXPECT_THAT(faults(std::string(method) + " activations {}"), HasSubstr("quantize.activations: "));
  }
  EXPECT_THAT(faults("rtn {} activations { format: 'int9' }"), HasSubstr("activations.format: unknown format"));
  EXPECT_THAT(faults("rtn {} activations { bits: 9 }"), HasSubstr("activations.bits: must be 2 to 8"));
  EXPECT_THAT(faults("rtn {} activations { format: 'e4m3' bits: 8 }"), HasSubstr("says itself how many bits"));
  EXPECT_THAT(faults("rtn {} activations { format: 'e4m3' scale: 'tensor' }"), HasSubstr("activations.scale"));
  EXPECT_THAT(faults("rtn {} activations { scale: 'tensor' group_size: 32 }"), HasSubstr("activations.group_size"));
  EXPECT_THAT(faults("nf4 {} activations { format: 'none' bits: 4 }"), HasSubstr("activations.bits"));
  EXPECT_THAT(faults("outlier_suppression_plus {} activations { format: 'none' }"), HasSubstr("activations.format"));
  EXPECT_THAT(faults("smoothquant {} activations { format: 'none' }"),
              HasSubstr("activations.format: the method moves outliers of inputs into weights"));
  EXPECT_THAT(faults("smoothquant { alpha: 1.5 fold: 'some' bits: 1 }"),
              AllOf(HasSubstr("alpha"), HasSubstr("fold"), HasSubstr("bits: must be 2 to 8")));
  EXPECT_THAT(faults("olive { bits: 5 }"), HasSubstr("must be 4 or 8"));
  EXPECT_THAT(faults("bcq { planes: 9 rounds: -1 }"), AllOf(HasSubstr("planes"), HasSubstr("rounds")));
  EXPECT_THAT(faults("zeroquant_fp { format: 'nf4' scale_constraint: 'm3' lorc_rank: -1 }"),
              AllOf(HasSubstr("format"), HasSubstr("scale_constraint"), HasSubstr("lorc_rank")));
  EXPECT_THAT(faults("llm_int8 { threshold: 0 }"), HasSubstr("threshold"));
  EXPECT_THAT(faults("owq { bits: 1 float_columns: 0.6 damping: 2 }"),
              AllOf(HasSubstr("bits"), HasSubstr("float_columns"), HasSubstr("damping")));
  EXPECT_THAT(faults("spqr { scale_bits: 9 scale_group: 12 outliers: 0.2 group_size: 0 }"),
              AllOf(HasSubstr("scale_bits"), HasSubstr("scale_group"), HasSubstr("outliers"), HasSubstr("group_size")));
  EXPECT_EQ(faults("gptq {} activations { format: 'mxfp8' }"), "");
}

}  // namespace
}  // namespace tersor
