#include "core/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/base/atomic_file.h"
#include "tests/core/model/synthetic_model.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::unique_ptr<RowLoss>> CrossEntropy(const TrainingBatch& batch) {
  return std::make_unique<CrossEntropyLoss>(batch.targets);
}

class TrainerTest : public ::testing::Test {
 protected:
  std::unique_ptr<TrainedModel> Create(bool lora) {
    TrainedModelOptions options;
    options.compute.threads = 2;
    options.train_weights = !lora;
    if (lora) options.lora = LoraOptions{2, 4};
    auto trained = TrainedModel::Create(model_, options);
    EXPECT_TRUE(trained.ok()) << trained.status();
    return *std::move(trained);
  }

  StepReport Step(Trainer& trainer, std::span<const TrainingBatch> batches) {
    const auto report = trainer.Step(batches, CrossEntropy);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : StepReport();
  }

  static std::map<std::string, std::vector<float>> Values(TrainedModel& model) {
    std::map<std::string, std::vector<float>> values;
    for (const auto& [name, parameter] : model.parameters()) values[name] = parameter.values;
    return values;
  }

  const ModelSpec spec_ = SmallSpec();
  const Model model_ = SyntheticModel(spec_, 1);
  const std::vector<std::vector<int32_t>> sequences_ = {RandomIds(spec_, 20, 1), RandomIds(spec_, 33, 2)};
  const TrainingBatch batch_ = NextTokenBatch(sequences_);
  const AdamOptions adam_ = {.weight_decay = 0.1, .clip_norm = 0.5};
  const Schedule schedule_ = {ScheduleKind::kCosine, 1e-2, 8, 2};
  const testing::ScratchFolder folder_;
};

TEST_F(TrainerTest, LearnsAndResumesWithTheSameBits) {
  for (const bool lora : {false, true}) {
    const std::filesystem::path path = folder_.path() / (lora ? "lora" : "full");
    const auto straight = Create(lora);
    Trainer trainer(*straight, adam_, schedule_);
    std::vector<StepReport> reports;
    for (int i = 0; i < 6; ++i) {
      if (i == 3) {
        ASSERT_TRUE(trainer.Save(path).ok());
      }
      reports.push_back(Step(trainer, {&batch_, 1}));
    }
    EXPECT_LT(reports.back().loss, reports.front().loss);
    EXPECT_EQ(reports[0].learning_rate, 0);
    EXPECT_EQ(reports.back().step, 6);
    EXPECT_EQ(reports.back().targets, 51);

    const auto resumed = Create(lora);
    Trainer second(*resumed, adam_, schedule_);
    ASSERT_TRUE(second.Restore(path).ok());
    EXPECT_EQ(second.steps(), 3);
    for (int i = 3; i < 6; ++i) {
      const StepReport report = Step(second, {&batch_, 1});
      EXPECT_EQ(report.loss, reports[i].loss);
      EXPECT_EQ(report.gradient_norm, reports[i].gradient_norm);
    }
    EXPECT_EQ(Values(*resumed), Values(*straight));
  }
}

TEST_F(TrainerTest, AccumulationCountsTargetsOfTheWholeStep) {
  std::vector<TrainingBatch> parts;
  for (const auto& sequence : sequences_) parts.push_back(NextTokenBatch({&sequence, 1}));
  const auto one = Create(false), two = Create(false);
  Trainer whole(*one, adam_, schedule_), accumulated(*two, adam_, schedule_);
  for (int i = 0; i < 3; ++i) {
    const StepReport a = Step(whole, {&batch_, 1}), b = Step(accumulated, parts);
    EXPECT_NEAR(a.loss, b.loss, 1e-12);
    EXPECT_EQ(a.gradient_norm, b.gradient_norm);
  }
  EXPECT_EQ(Values(*one), Values(*two));
}

TEST_F(TrainerTest, ClippingLimitsTheGradient) {
  // AdamW's first step does not see the gradient's length, its epsilon does.
  AdamOptions clipped = {.epsilon = 1e3, .clip_norm = 1e-3}, free = {.epsilon = 1e3};
  // So large a rate that weights' last bits do not blur the step.
  const Schedule constant = {ScheduleKind::kConstant, 1e4, 8, 0};
  const auto one = Create(false), two = Create(false);
  Trainer a(*one, clipped, constant), b(*two, free, constant);
  const double norm = Step(a, {&batch_, 1}).gradient_norm;
  EXPECT_EQ(Step(b, {&batch_, 1}).gradient_norm, norm);
  const auto start = Create(false);
  const std::string name = "model.layers.0.mlp.down_proj.weight";
  const auto moved = [&](TrainedModel& model) {
    double sum = 0;
    const std::vector<float>&now = model.parameters().at(name).values, &before = start->parameters().at(name).values;
    for (size_t i = 0; i < now.size(); ++i) sum += std::fabs(double{now[i]} - before[i]);
    return sum;
  };
  EXPECT_NEAR(moved(*one) / moved(*two), 1e-3 / norm, 0.05 * 1e-3 / norm);
}

TEST_F(TrainerTest, NamesTheStepThatIsNotFinite) {
  const auto trained = Create(false);
  Trainer trainer(*trained, adam_, schedule_);
  Step(trainer, {&batch_, 1});
  trained->parameters().at("model.layers.1.mlp.up_proj.weight").values[3] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(trained->Refresh().ok());
  const auto before = trained->parameters().at("model.norm.weight").values;
  const auto report = trainer.Step({&batch_, 1}, CrossEntropy);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(report.status().message(), HasSubstr("step 2"));
  EXPECT_EQ(trained->parameters().at("model.norm.weight").values, before);
  EXPECT_EQ(trainer.steps(), 1);
}

TEST_F(TrainerTest, CancelledStepChangesNothing) {
  const auto trained = Create(false), other = Create(false);
  Trainer trainer(*trained, adam_, schedule_), reference(*other, adam_, schedule_);
  CancellationToken token;
  token.Cancel();
  EXPECT_EQ(trainer.Step({&batch_, 1}, CrossEntropy, &token).status().code(), absl::StatusCode::kCancelled);
  for (int i = 0; i < 2; ++i) {
    Step(trainer, {&batch_, 1});
    Step(reference, {&batch_, 1});
  }
  EXPECT_EQ(Values(*trained), Values(*other));
}

TEST_F(TrainerTest, RefusesOtherCheckpoints) {
  const auto full = Create(false), lora = Create(true);
  Trainer of_full(*full, adam_, schedule_), of_lora(*lora, adam_, schedule_);
  const std::filesystem::path path = folder_.path() / "checkpoint";
  ASSERT_TRUE(of_full.Save(path).ok());
  EXPECT_EQ(of_lora.Restore(path).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(of_full.Restore(folder_.path() / "none").ok());
  ASSERT_TRUE(WriteFileAtomically(path, "no tensors").ok());
  EXPECT_EQ(of_full.Restore(path).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TrainerTest, NothingToLearn) {
  const auto trained = Create(false);
  Trainer trainer(*trained, adam_, schedule_);
  EXPECT_EQ(trainer.Step({}, CrossEntropy).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
