#include "core/train/trained_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/encoding/dense_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/model/head.h"
#include "core/model/hidden_states.h"
#include "core/tensor/float16.h"
#include "tests/core/model/synthetic_model.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

ModelSpec TiedSpec() {
  ModelSpec spec = SmallSpec();
  spec.tied = true;
  return spec;
}

std::vector<std::vector<int32_t>> Sequences(const ModelSpec& spec) {
  std::vector<std::vector<int32_t>> sequences;
  for (const int64_t length : {9, 70, 2, 31}) {
    sequences.push_back(RandomIds(spec, length, static_cast<uint32_t>(length)));
  }
  return sequences;
}

TrainedModelOptions Options(int threads, bool lora = false, bool recompute = false) {
  TrainedModelOptions options;
  options.compute.threads = threads;
  options.train_weights = !lora;
  if (lora) options.lora = LoraOptions{3, 6, false, 1};
  options.recompute = recompute;
  return options;
}

std::unique_ptr<TrainedModel> Create(const Model& model, const TrainedModelOptions& options) {
  auto trained = TrainedModel::Create(model, options);
  EXPECT_TRUE(trained.ok()) << trained.status();
  return *std::move(trained);
}

// `up` factors are zeros at first, and gradients of `down` too.
void FillUpFactors(TrainedModel& trained) {
  float value = 0;
  for (const Adapter& adapter : trained.adapters()) {
    for (const Adapter::Part& part : adapter.parts) {
      for (float& factor : part.up->values) factor = 0.1f * std::sin(value += 1);
    }
  }
  ASSERT_TRUE(trained.Refresh().ok());
}

std::map<std::string, std::vector<float>> GradientsOf(TrainedModel& trained, std::span<const TrainingBatch> batches) {
  for (const TrainingBatch& batch : batches) {
    CrossEntropyLoss loss(batch.targets);
    const auto sum = trained.AddGradients(batch, loss, 0.01f);
    EXPECT_TRUE(sum.ok()) << sum.status();
  }
  trained.FinishGradients();
  std::map<std::string, std::vector<float>> gradients;
  for (const auto& [name, parameter] : trained.parameters()) {
    if (parameter.trained()) gradients[name] = parameter.gradient;
  }
  return gradients;
}

class GradientBitsTest : public ::testing::TestWithParam<bool> {};

TEST_P(GradientBitsTest, DependOnNothingElse) {
  const bool lora = GetParam();
  for (const ModelSpec& spec : {SmallSpec(), TiedSpec()}) {
    const Model model = SyntheticModel(spec, 1);
    const std::vector<std::vector<int32_t>> sequences = Sequences(spec);
    const TrainingBatch whole = NextTokenBatch(sequences);
    std::vector<TrainingBatch> parts;
    for (const auto& sequence : sequences) parts.push_back(NextTokenBatch({&sequence, 1}));
    const auto run = [&](const TrainedModelOptions& options, std::span<const TrainingBatch> batches) {
      const std::unique_ptr<TrainedModel> trained = Create(model, options);
      if (lora) FillUpFactors(*trained);
      return GradientsOf(*trained, batches);
    };
    const auto expected = run(Options(1, lora), {&whole, 1});
    EXPECT_EQ(expected.empty(), false);
    EXPECT_EQ(run(Options(2, lora), {&whole, 1}), expected) << "threads";
    EXPECT_EQ(run(Options(3, lora), {&whole, 1}), expected) << "threads";
    EXPECT_EQ(run(Options(2, lora, true), {&whole, 1}), expected) << "recomputed";
    EXPECT_EQ(run(Options(2, lora), parts), expected) << "sequence by sequence";
  }
}

INSTANTIATE_TEST_SUITE_P(WeightsOrAdapters, GradientBitsTest, ::testing::Bool());

TEST(TrainedModelTest, IgnoredTokensCountForNothing) {
  const ModelSpec spec = SmallSpec();
  const Model model = SyntheticModel(spec, 1);
  const auto trained = Create(model, Options(2));
  const auto sequence = RandomIds(spec, 40, 3);
  TrainingBatch batch = NextTokenBatch({&sequence, 1});
  // The loss of the last token alone: no token after it has a gradient, and the head sees one row.
  std::fill(batch.targets.begin(), batch.targets.end(), -1);
  batch.targets[20] = 5;
  TrainingBatch cut = batch;
  cut.ids.resize(21);
  cut.targets.resize(21);
  cut.offsets = {0, 21};
  const auto gradients = GradientsOf(*trained, {&batch, 1});
  trained->ClearGradients();
  EXPECT_EQ(GradientsOf(*trained, {&cut, 1}), gradients);
}

TEST(TrainedModelTest, AdapterStartsAsTheBase) {
  const ModelSpec spec = SmallSpec();
  const Model model = SyntheticModel(spec, 1);
  const auto adapted = Create(model, Options(2, true));
  const TrainingBatch batch = NextTokenBatch(Sequences(spec));
  const auto hidden = adapted->Hidden(batch, nullptr);
  ASSERT_TRUE(hidden.ok()) << hidden.status();
  EXPECT_EQ(*hidden, *HiddenStates(model, batch.ids, batch.offsets, {}, nullptr, nullptr));
  bool learns = false;
  for (const auto& [name, gradient] : GradientsOf(*adapted, {&batch, 1})) {
    const bool is_down = name.find("lora_A") != std::string::npos;
    const bool zero = std::all_of(gradient.begin(), gradient.end(), [](float value) { return value == 0; });
    EXPECT_TRUE(zero || !is_down) << name;
    learns |= !is_down && !zero;
  }
  EXPECT_TRUE(learns);
}

TEST(TrainedModelTest, MergedEqualsUnmerged) {
  const ModelSpec spec = SmallSpec();
  const Model model = SyntheticModel(spec, 1);
  const auto adapted = Create(model, Options(2, true));
  FillUpFactors(*adapted);
  const TrainingBatch batch = NextTokenBatch(Sequences(spec));
  const auto hidden = adapted->Hidden(batch, nullptr);
  const auto merged = adapted->Merged();
  ASSERT_TRUE(merged.ok()) << merged.status();
  const auto expected = HiddenStates(*merged, batch.ids, batch.offsets, {}, nullptr, nullptr);
  const auto base = HiddenStates(model, batch.ids, batch.offsets, {}, nullptr, nullptr);
  double difference = 0, moved = 0;
  for (size_t i = 0; i < hidden->size(); ++i) {
    difference = std::max(difference, std::fabs(double{(*hidden)[i]} - (*expected)[i]));
    moved = std::max(moved, std::fabs(double{(*base)[i]} - (*expected)[i]));
  }
  EXPECT_LT(difference, 1e-4 * moved);
  EXPECT_GT(moved, 0.1);
}

// Every layer of the blocks in 4-bit codes.
Model Quantized(Model model) {
  for (auto& [name, tensor] : model.parameters) {
    if (name.find("_proj.weight") == std::string::npos) continue;
    const int64_t rows = tensor->rows(), columns = tensor->columns();
    const std::vector<float> values = tensor->Decode();
    std::vector<uint8_t> codes(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      codes[i] = static_cast<uint8_t>(std::clamp(std::lround(values[i] / 0.1f) + 8, 0l, 15l));
    }
    const std::vector<uint16_t> scales(rows, FloatToF16(0.1f));
    auto encoded = GroupIntTensor::Create({rows, columns, 4, -1}, codes, scales, {});
    EXPECT_TRUE(encoded.ok()) << encoded.status();
    tensor = *std::move(encoded);
  }
  return model;
}

TEST(TrainedModelTest, AdaptersOfCodesAreThoseOfTheirValues) {
  const ModelSpec spec = SmallSpec();
  const Model codes = Quantized(SyntheticModel(spec, 1));
  Model values = codes;
  for (auto& [name, tensor] : values.parameters) tensor = *DenseTensor::FromFloats(tensor->shape(), tensor->Decode());
  const TrainingBatch batch = NextTokenBatch(Sequences(spec));
  const auto of_codes = Create(codes, Options(2, true)), of_values = Create(values, Options(2, true));
  FillUpFactors(*of_codes);
  FillUpFactors(*of_values);
  EXPECT_EQ(GradientsOf(*of_codes, {&batch, 1}), GradientsOf(*of_values, {&batch, 1}));
}

TEST(TrainedModelTest, RefusesWhatCannotBeLearned) {
  const ModelSpec spec = SmallSpec();
  const Model model = SyntheticModel(spec, 1);
  TrainedModelOptions options = Options(1, true);
  options.lora->rank = 1000;
  EXPECT_THAT(TrainedModel::Create(model, options).status().message(), HasSubstr("rank 1000"));
  options.lora->rank = 0;
  EXPECT_EQ(TrainedModel::Create(model, options).status().code(), absl::StatusCode::kInvalidArgument);
  options = Options(1, true);
  options.train_weights = true;
  EXPECT_EQ(TrainedModel::Create(model, options).status().code(), absl::StatusCode::kInvalidArgument);

  const auto trained = Create(model, Options(1));
  const auto sequence = RandomIds(spec, 8, 3);
  const TrainingBatch good = NextTokenBatch({&sequence, 1});
  const auto refused = [&](TrainingBatch batch) {
    CrossEntropyLoss loss(batch.targets);
    return trained->AddGradients(batch, loss, 1).status();
  };
  EXPECT_TRUE(refused(good).ok());
  TrainingBatch bad = good;
  std::fill(bad.targets.begin(), bad.targets.end(), -1);
  EXPECT_THAT(refused(bad).message(), HasSubstr("without a target"));
  bad = good;
  bad.targets[0] = static_cast<int32_t>(spec.vocabulary);
  EXPECT_THAT(refused(bad).message(), HasSubstr("outside the vocabulary"));
  bad = good;
  bad.ids[3] = -1;
  EXPECT_EQ(refused(bad).code(), absl::StatusCode::kOutOfRange);
  bad = good;
  bad.targets.pop_back();
  EXPECT_EQ(refused(bad).code(), absl::StatusCode::kInvalidArgument);
  bad = good;
  bad.offsets.back() = 7;
  EXPECT_EQ(refused(bad).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
