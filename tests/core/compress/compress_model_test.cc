#include "core/compress/compress_model.h"

#include <random>

#include "core/encoding/dense_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/model/hidden_states.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/core/compress/collecting_sink.h"
#include "tests/core/compress/memory_checkpoint.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

using testing::CollectingSink;
using ::testing::HasSubstr;
using testing::MemoryCheckpoint;

v1::Recipe MakeRecipe(const std::string& stages) {
  v1::Recipe recipe;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stages, &recipe)) << stages;
  return recipe;
}

constexpr char kGptq[] = "stages { quantize { gptq { bits: 3 group_size: 32 refine_rounds: 1 } } }";

class CompressModelTest : public ::testing::Test {
 protected:
  CompressModelTest() {
    model_ = *LoadModel(*testing::WriteTinyModel(folder_.path() / "model", {.layers = 3}));
    std::mt19937 random(1);
    calibration_.offsets = {0};
    for (const int64_t length : {40, 7, 33, 60}) {
      for (int64_t i = 0; i < length; ++i) calibration_.ids.push_back(random() % testing::kTinyVocabulary);
      calibration_.offsets.push_back(static_cast<int64_t>(calibration_.ids.size()));
    }
  }
  absl::StatusOr<CompressionResult> Compress(Model& model, const v1::Recipe& recipe, int threads = 1,
                                             BlockCheckpoint* checkpoint = nullptr) {
    return CompressModel(model, recipe, calibration_, {.threads = threads}, checkpoint, sink_, &token_);
  }
  // Squared distance of the final hidden states from the dense model's.
  double Distance(const Model& model) {
    const auto hidden = [&](const Model& m) {
      return *HiddenStates(m, calibration_.ids, calibration_.offsets, {}, nullptr, nullptr);
    };
    const std::vector<float> dense = hidden(model_), other = hidden(model);
    double distance = 0;
    for (size_t i = 0; i < dense.size(); ++i) distance += (dense[i] - other[i]) * (dense[i] - other[i]);
    return distance;
  }

  testing::ScratchFolder folder_;
  Model model_;
  CalibrationTokens calibration_;
  CollectingSink sink_;
  CancellationToken token_;
};

void ExpectSameBytes(const Model& a, const Model& b) {
  ASSERT_EQ(a.parameters.size(), b.parameters.size());
  for (const auto& [name, tensor] : a.parameters) {
    const EncodedTensor& other = *b.parameters.at(name);
    ASSERT_EQ(tensor->encoding(), other.encoding()) << name;
    const std::vector<EncodedField> fields = tensor->Fields(), other_fields = other.Fields();
    ASSERT_EQ(fields.size(), other_fields.size());
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto bytes = fields[i].tensor.bytes(), other_bytes = other_fields[i].tensor.bytes();
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), other_bytes.begin(), other_bytes.end())) << name;
    }
  }
}

TEST_F(CompressModelTest, GptqReplacesEveryLayerAndBeatsRtn) {
  Model gptq = model_, rtn = model_;
  const absl::StatusOr<CompressionResult> result = Compress(gptq, MakeRecipe(kGptq));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_TRUE(Compress(rtn, MakeRecipe("stages { quantize { rtn { bits: 3 group_size: 32 } } }")).ok());
  EXPECT_EQ(result->layers.size(), 21);
  EXPECT_EQ(result->layers[0].name(), "model.layers.0.self_attn.q_proj");
  for (const v1::LayerResult& layer : result->layers) {
    EXPECT_EQ(layer.encoding(), "group-int");
    EXPECT_DOUBLE_EQ(layer.true_bits(), 3.5);
    EXPECT_GT(layer.relative_error(), 0);
    EXPECT_LT(layer.relative_error(), 0.1);
    EXPECT_TRUE(layer.note().empty());
    EXPECT_EQ(gptq.parameters.at(layer.name() + ".weight")->encoding(), "group-int");
  }
  EXPECT_EQ(gptq.parameters.at("model.embed_tokens.weight"), model_.parameters.at("model.embed_tokens.weight"));
  EXPECT_LT(Distance(gptq), 0.8 * Distance(rtn));
  ASSERT_EQ(result->stages.size(), 1);
  EXPECT_EQ(result->stages[0].name(), "quantize:gptq");
  EXPECT_GT(result->stages[0].peak_rss_bytes(), 0);
}

TEST_F(CompressModelTest, EventsTellOfLayersAndProgress) {
  Model model = model_;
  ASSERT_TRUE(Compress(model, MakeRecipe(kGptq)).ok());
  EXPECT_EQ(sink_.Count(v1::Event::kLayer), 21);
  EXPECT_EQ(sink_.Count(v1::Event::kStageFinished), 1);
  double fraction = 0;
  for (const v1::Event& event : sink_.events) {
    if (!event.has_progress()) continue;
    EXPECT_EQ(event.progress().stage(), "quantize:gptq");
    EXPECT_EQ(event.progress().unit(), "blocks");
    EXPECT_EQ(event.progress().total(), 3);
    EXPECT_GE(event.progress().fraction(), fraction);
    EXPECT_GT(event.progress().tokens_per_second(), 0);
    fraction = event.progress().fraction();
  }
  EXPECT_EQ(fraction, 1);
}

TEST_F(CompressModelTest, ExtremeOutliersAreTold) {
  const auto multiply = [&](const std::string& name, int64_t first, int64_t step, float factor) {
    const EncodedTensor& tensor = *model_.parameters.at(name);
    std::vector<float> values(tensor.elements());
    tensor.DecodeRows(0, tensor.rows(), values.data());
    for (size_t i = first; i < values.size(); i += step) values[i] *= factor;
    model_.parameters[name] = *DenseTensor::FromFloats(Shape(tensor.shape()), std::move(values));
  };
  const std::string down = "model.layers.1.mlp.down_proj", norm = "model.layers.2.input_layernorm.weight";
  const int64_t inputs = model_.parameters.at(down + ".weight")->columns();
  multiply(down + ".weight", 5, inputs, 1e5f);
  multiply(norm, 7, 1 << 20, 1e5f);
  Model model = model_;
  const absl::StatusOr<CompressionResult> result = Compress(model, MakeRecipe(kGptq));
  ASSERT_TRUE(result.ok()) << result.status();
  std::vector<std::string> told;
  for (const v1::Warning& warning : result->warnings) {
    if (warning.code() != "EXTREME_OUTLIERS") continue;
    told.push_back(warning.where() + ": " + warning.message().substr(0, warning.message().find(" reach")));
  }
  EXPECT_THAT(told, ::testing::UnorderedElementsAre(down + ": weights of input channel 5",
                                                    "model.layers.2.self_attn.q_proj: inputs of channel 7"));
  EXPECT_GE(sink_.Count(v1::Event::kWarning), 2);
}

TEST_F(CompressModelTest, SameBytesOnAnyNumberOfThreads) {
  for (const char* recipe :
       {kGptq, "stages { quantize { gptq { group_size: 64 dense_correction: 0.5 } } }",
        "stages { quantize { rtn { bits: 5 symmetric: false scale_search: SCALE_SEARCH_MSE } } }"}) {
    Model one = model_, three = model_;
    ASSERT_TRUE(Compress(one, MakeRecipe(recipe), 1).ok());
    ASSERT_TRUE(Compress(three, MakeRecipe(recipe), 3).ok());
    ExpectSameBytes(one, three);
  }
}

TEST_F(CompressModelTest, GoesOnAfterBeingBrokenOffToTheSameBytes) {
  for (const char* recipe : {kGptq, "stages { quantize { gptq { group_size: 64 dense_correction: 0.5 } } }"}) {
    Model whole = model_, resumed = model_, broken = model_;
    const absl::StatusOr<CompressionResult> expected = Compress(whole, MakeRecipe(recipe));
    ASSERT_TRUE(expected.ok());
    MemoryCheckpoint checkpoint;
    checkpoint.after_save = [](int block) { return block == 1 ? absl::AbortedError("killed") : absl::OkStatus(); };
    EXPECT_EQ(Compress(broken, MakeRecipe(recipe), 1, &checkpoint).status().code(), absl::StatusCode::kAborted);
    checkpoint.after_save = nullptr;
    ASSERT_EQ(checkpoint.saved().records.size(), 2);
    const absl::StatusOr<CompressionResult> result = Compress(resumed, MakeRecipe(recipe), 2, &checkpoint);
    ASSERT_TRUE(result.ok()) << result.status();
    ExpectSameBytes(whole, resumed);
    ASSERT_EQ(result->layers.size(), expected->layers.size());
    for (size_t i = 0; i < result->layers.size(); ++i) {
      EXPECT_EQ(result->layers[i].SerializeAsString(), expected->layers[i].SerializeAsString());
    }
    EXPECT_EQ(checkpoint.saved().records.size(), 3);
  }
}

TEST_F(CompressModelTest, ForeignCheckpointIsRefused) {
  MemoryCheckpoint checkpoint;
  checkpoint.saved().records.resize(1);
  checkpoint.saved().activations.resize(5);
  Model model = model_;
  EXPECT_EQ(Compress(model, MakeRecipe(kGptq), 1, &checkpoint).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(CompressModelTest, CancelledWalkLeavesTheModelAsAfterTheLastBlock) {
  Model model = model_;
  sink_.on_event = [&](const v1::Event& event) {
    if (event.has_progress() && event.progress().done() == 1) token_.Cancel();
  };
  EXPECT_EQ(Compress(model, MakeRecipe(kGptq)).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(model.parameters.at("model.layers.0.mlp.down_proj.weight")->encoding(), "group-int");
  EXPECT_EQ(model.parameters.at("model.layers.1.self_attn.q_proj.weight")->encoding(), "dense");
}

TEST_F(CompressModelTest, StagesMayShareTheLayersAmongThem) {
  Model model = model_;
  const absl::StatusOr<CompressionResult> result = Compress(
      model, MakeRecipe("stages { quantize { skip: 'down_proj' gptq { bits: 3 } } }"
                        "stages { quantize { skip: 're:.*(self_attn|gate|up).*' rtn { bits: 8 group_size: -1 } } }"));
  ASSERT_TRUE(result.ok()) << result.status();
  for (const v1::LayerResult& layer : result->layers) {
    const auto& tensor = dynamic_cast<const GroupIntTensor&>(*model.parameters.at(layer.name() + ".weight"));
    EXPECT_EQ(tensor.bits(), layer.name().find("down_proj") != std::string::npos ? 8 : 3) << layer.name();
  }
  ASSERT_EQ(result->stages.size(), 2);
  EXPECT_NEAR(result->stages[0].seconds(), 6 * result->stages[1].seconds(), 1e-6);
}

TEST_F(CompressModelTest, OutliersOfTheHeadAreWarnedOf) {
  Model model = model_;
  EncodedTensorPtr& embedding = model.parameters.at("model.embed_tokens.weight");
  std::vector<float> values = embedding->Decode();
  values[40 * embedding->columns() + 5] = 30000;
  embedding = *DenseTensor::FromFloats(embedding->shape(), std::move(values));
  const absl::StatusOr<CompressionResult> result =
      Compress(model, MakeRecipe("stages { quantize { head { bits: 8 } rtn {} } }"));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->warnings.size(), 1);
  EXPECT_EQ(result->warnings[0].code(), "EXTREME_OUTLIERS");
  EXPECT_EQ(result->warnings[0].where(), "model.embed_tokens");
  EXPECT_THAT(result->warnings[0].message(), ::testing::HasSubstr("weights of input channel 5 reach 3e+04"));
  EXPECT_EQ(sink_.Count(v1::Event::kWarning), 1);
}

TEST_F(CompressModelTest, HeadIsKeptTiedOrUntied) {
  Model kept = model_, untied = model_;
  ASSERT_TRUE(Compress(kept, MakeRecipe("stages { quantize { head { bits: 8 } rtn {} } }")).ok());
  EXPECT_TRUE(kept.spec.tied);
  EXPECT_FALSE(kept.parameters.contains("lm_head.weight"));
  const auto& shared = dynamic_cast<const GroupIntTensor&>(*kept.parameters.at("model.embed_tokens.weight"));
  EXPECT_EQ(shared.bits(), 8);
  EXPECT_EQ(shared.group_size(), 32);
  const absl::StatusOr<CompressionResult> result =
      Compress(untied, MakeRecipe("stages { quantize { head { tie: 'untie' bits: 6 group_size: -1 } rtn {} } }"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(untied.spec.tied);
  EXPECT_EQ(untied.parameters.at("model.embed_tokens.weight")->encoding(), "dense");
  EXPECT_EQ(dynamic_cast<const GroupIntTensor&>(**untied.Head()).bits(), 6);
  EXPECT_EQ(result->layers.back().name(), "lm_head");
  // Rows decode one by one, as looking up an embedding needs it.
  std::vector<float> row(64), dense_row(64);
  shared.DecodeRows(17, 1, row.data());
  model_.parameters.at("model.embed_tokens.weight")->DecodeRows(17, 1, dense_row.data());
  for (int i = 0; i < 64; ++i) EXPECT_NEAR(row[i], dense_row[i], 0.02 * 4);
}

TEST_F(CompressModelTest, PlanForetellsBytesAndEncodings) {
  for (const char* text :
       {kGptq, "stages { quantize { head { bits: 8 } rtn { bits: 5 symmetric: false group_size: 16 } } }",
        "stages { quantize { skip: 'up_proj' head { tie: 'untie' bits: 4 } gptq {} } }",
        "stages { quantize { head { tie: 'untie' } rtn {} } }"}) {
    std::vector<FieldViolation> violations;
    const CompressionPlan plan = PlanCompression(model_, MakeRecipe(text), {140, 140}, {}, violations);
    ASSERT_TRUE(violations.empty()) << violations[0].description;
    Model model = model_;
    ASSERT_TRUE(Compress(model, MakeRecipe(text)).ok());
    EXPECT_EQ(plan.parameter_bytes, model.ByteSize()) << text;
    for (const auto& [name, encoding] : plan.encodings) {
      EXPECT_EQ(model.parameters.at(name)->encoding(), encoding.encoding) << name;
    }
    EXPECT_EQ(plan.needs_calibration, std::string(text).find("gptq") != std::string::npos);
    ASSERT_EQ(plan.stages.size(), 1);
    EXPECT_GT(plan.stages[0].seconds(), 0);
    EXPECT_GT(plan.stages[0].peak_memory_bytes(), 0);
  }
}

// Norms, and layers that other layers' scales go into, become floats.
TEST_F(CompressModelTest, PlanForetellsWhatScalingMakesOfOtherParameters) {
  const Model half = *LoadModel(*testing::WriteTinyModel(folder_.path() / "half", {.layers = 2, .dtype = DType::kF16}));
  for (const char* text :
       {"stages { quantize { awq {} } }", "stages { quantize { skip: ['v_proj', 'up_proj'] awq {} } }",
        "stages { quantize { skip: 'o_proj' awq {} } }",
        "stages { quantize { skip: ['v_proj', 'up_proj'] smoothquant {} } }",
        "stages { quantize { skip: ['v_proj', 'up_proj'] smoothquant { fold: 'all' } } }",
        "stages { quantize { skip: ['q_proj', 'down_proj'] awq {} } } "
        "stages { quantize { skip: 're:.*(k_proj|v_proj|o_proj|gate_proj|up_proj)' rtn {} } }"}) {
    std::vector<FieldViolation> violations;
    const CompressionPlan plan = PlanCompression(half, MakeRecipe(text), {140, 60}, {}, violations);
    ASSERT_TRUE(violations.empty()) << violations[0].description;
    Model model = half;
    ASSERT_TRUE(Compress(model, MakeRecipe(text)).ok());
    EXPECT_EQ(plan.parameter_bytes, model.ByteSize()) << text;
  }
}

// They share one walk: what it keeps in memory is told of each, and its seconds by their layers.
TEST_F(CompressModelTest, StagesShareTheWalksCost) {
  const auto plan = [&](const std::string& text) {
    std::vector<FieldViolation> violations;
    const CompressionPlan plan = PlanCompression(model_, MakeRecipe(text), {140, 60}, {}, violations);
    EXPECT_TRUE(violations.empty()) << violations[0].description;
    return plan;
  };
  const std::string attention = "stages { quantize { skip: 're:.*mlp.*' rtn {} } }",
                    mlp = "stages { quantize { skip: 're:.*self_attn.*' gptq {} } }";
  const CompressionPlan both = plan(attention + mlp), rtn = plan(attention), gptq = plan(mlp);
  EXPECT_EQ(both.stages[0].peak_memory_bytes(), both.stages[1].peak_memory_bytes());
  EXPECT_GE(both.stages[0].peak_memory_bytes(), gptq.stages[0].peak_memory_bytes());
  EXPECT_GT(gptq.stages[0].peak_memory_bytes(), rtn.stages[0].peak_memory_bytes());
  EXPECT_NEAR(both.stages[0].seconds(), 4.0 / 3 * both.stages[1].seconds(), 1e-9);
  EXPECT_GE(both.stages[0].seconds() + both.stages[1].seconds(), gptq.stages[0].seconds());
}

TEST_F(CompressModelTest, ThreadsShareWhatTheyCan) {
  const auto seconds = [&](const char* stage, int threads) {
    std::vector<FieldViolation> violations;
    const std::string text = absl::StrCat("stages { quantize { ", stage, " } }");
    return PlanCompression(model_, MakeRecipe(text), {140, 60}, {.threads = threads}, violations).stages[0].seconds();
  };
  for (const char* stage : {"gptq {}", "zeroquant_fp { lorc_rank: 8 }"}) {
    const double one = seconds(stage, 1), two = seconds(stage, 2), four = seconds(stage, 4);
    EXPECT_LT(four, two) << stage;
    // Half of what threads share goes with the second thread, a quarter with two more.
    EXPECT_NEAR(two - four, (one - two) / 2, 1e-9) << stage;
  }
  // One thread factors the errors: more of them gain nothing.
  const double correction = seconds("zeroquant_fp { lorc_rank: 8 }", 1) - seconds("zeroquant_fp {}", 1);
  EXPECT_GT(correction, 0);
  EXPECT_GT(seconds("zeroquant_fp { lorc_rank: 8 }", 1000) - seconds("zeroquant_fp {}", 1000), 0.9 * correction);
}

TEST_F(CompressModelTest, EveryFaultOfTheStagesIsFoundAtOnce) {
  std::vector<FieldViolation> violations;
  PlanCompression(
      model_,
      MakeRecipe("stages { quantize { gptq { bits: 1 damping: 2 } } }"
                 "stages { quantize { skip: 'nothing' rtn { group_size: 48 } head { tie: 'perhaps' bits: 1 } } }"
                 "stages { quantize {} } stages {}"),
      {140, 140}, {}, violations);
  std::string all;
  for (const FieldViolation& violation : violations)
    absl::StrAppend(&all, violation.field, ": ", violation.description, "\n");
  for (const char* expected :
       {"stages[0].quantize.gptq.bits: must be 2 to 8", "stages[0].quantize.gptq.damping", "stages[1].quantize.skip[0]",
        "stages[1].quantize.head.tie", "stages[1].quantize.head.bits",
        "is already changed by stages[0]; skip it in one of the two",
        "stages[2].quantize.method: no method is named; known: rtn, gptq", "stages[3]: the stage is empty"}) {
    EXPECT_THAT(all, HasSubstr(expected));
  }
}

TEST_F(CompressModelTest, GroupSizeThatDoesNotDivideIsAPlannedFault) {
  std::vector<FieldViolation> violations;
  PlanCompression(model_, MakeRecipe("stages { quantize { gptq { group_size: 48 } } }"), {140, 140}, {}, violations);
  ASSERT_EQ(violations.size(), 1);
  EXPECT_EQ(violations[0].field, "stages[0].quantize.gptq.group_size");
  EXPECT_THAT(violations[0].description, HasSubstr("64, 32"));
  Model model = model_;
  const absl::Status status = Compress(model, MakeRecipe("stages { quantize { gptq { group_size: 48 } } }")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("stages[0].quantize.gptq.group_size"));
}

TEST_F(CompressModelTest, CalibratedMethodsNeedTokens) {
  calibration_ = {};
  Model model = model_;
  EXPECT_THAT(Compress(model, MakeRecipe(kGptq)).status().message(), HasSubstr("no tokens"));
  EXPECT_TRUE(Compress(model, MakeRecipe("stages { quantize { rtn {} } }")).ok());
}

TEST(CompressionMethodsTest, AreListedWithTheirOptions) {
  const std::vector<MethodDescription> methods = CompressionMethods();
  ASSERT_GE(methods.size(), 2);
  EXPECT_EQ(methods[0].name, "rtn");
  EXPECT_EQ(methods[1].name, "gptq");
  // Every field of the message is documented, and nothing else.
  for (const MethodDescription& method : methods) {
    const auto* family = v1::Stage::descriptor()->FindFieldByName(method.family)->message_type();
    const auto* message = family->FindFieldByName(method.name)->message_type();
    int own = 0;
    for (const MethodOption& option : method.options) {
      // Options that a family shares stand beside the method's.
      const bool shared = family->FindFieldByName(option.name) != nullptr;
      EXPECT_TRUE(shared || message->FindFieldByName(option.name) != nullptr) << option.name;
      own += shared ? 0 : 1;
    }
    EXPECT_EQ(own, message->field_count()) << method.name;
  }
}

}  // namespace
}  // namespace tersor
