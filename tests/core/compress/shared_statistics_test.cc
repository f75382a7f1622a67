// Jobs that share the dense model's statistics.
#include <random>

#include "core/compress/compress_model.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/core/compress/collecting_sink.h"
#include "tests/core/compress/memory_checkpoint.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

// Counts what is asked of it, and can lose a block.
class WatchedStore final : public StatisticsStore {
 public:
  explicit WatchedStore(const std::filesystem::path& folder)
      : store_(OpenStatisticsFolder(folder, {"model", "text", "isa", "1"}, int64_t{1} << 30)) {}
  bool Holds(int blocks, const std::set<Statistic>& wanted) const override { return store_->Holds(blocks, wanted); }
  std::optional<std::vector<InputStatistics>> Load(int block, const std::set<Statistic>& wanted) override {
    ++loads;
    return block == lost ? std::nullopt : store_->Load(block, wanted);
  }
  void Save(int block, const std::vector<InputStatistics>& statistics) override {
    ++saves;
    store_->Save(block, statistics);
  }

  int loads = 0, saves = 0, lost = -1;

 private:
  std::unique_ptr<StatisticsStore> store_;
};

class SharedStatisticsTest : public ::testing::Test {
 protected:
  SharedStatisticsTest() {
    model_ = *LoadModel(*testing::WriteTinyModel(folder_.path() / "model", {.layers = 3}));
    std::mt19937 random(1);
    for (int i = 0; i < 90; ++i) calibration_.ids.push_back(random() % testing::kTinyVocabulary);
    calibration_.offsets = {0, 40, 47, 90};
  }
  std::map<std::string, std::vector<float>> Compress(const std::string& stages, StatisticsStore* store,
                                                     BlockCheckpoint* checkpoint = nullptr) {
    v1::Recipe recipe;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stages, &recipe));
    Model model = model_;
    status_ = CompressModel(model, recipe, calibration_, {}, checkpoint, sink_, nullptr, store).status();
    std::map<std::string, std::vector<float>> values;
    for (const auto& [name, tensor] : model.parameters) values[name] = tensor->Decode();
    return values;
  }

  testing::ScratchFolder folder_;
  Model model_;
  CalibrationTokens calibration_;
  testing::CollectingSink sink_;
  absl::Status status_;
};

constexpr char kAwq[] = "stages { quantize { awq { group_size: 32 grid: 4 } } }";
constexpr char kSmoothQuant[] = "stages { quantize { smoothquant { fold: 'all' } } }";

TEST_F(SharedStatisticsTest, TheSecondJobDoesNotCalibrate) {
  WatchedStore store(folder_.path() / "statistics");
  const auto alone = Compress(kAwq, nullptr);
  ASSERT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(Compress(kAwq, &store), alone);
  EXPECT_EQ(store.saves, 3);
  // These cannot be embedded: whoever runs the model on them fails.
  for (int32_t& id : calibration_.ids) id = 1 << 30;
  EXPECT_EQ(Compress("stages { quantize { awq { group_size: 32 grid: 4 } } }", &store), alone);
  ASSERT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(store.loads, 3);
  EXPECT_EQ(store.saves, 3);
  // Other options of the method, and another method with statistics that AWQ has wanted too.
  Compress("stages { quantize { awq { bits: 3 group_size: 16 grid: 2 } } }", &store);
  EXPECT_TRUE(status_.ok()) << status_;
  // What was not gathered is not there.
  Compress(kSmoothQuant, &store);
  EXPECT_FALSE(status_.ok());
}

TEST_F(SharedStatisticsTest, GptqReadsWhatTheCompressedLayersGive) {
  WatchedStore store(folder_.path() / "statistics");
  Compress("stages { quantize { gptq { group_size: 32 } } }", &store);
  ASSERT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(store.saves + store.loads, 0);
}

TEST_F(SharedStatisticsTest, MethodsOfBothKindsShareAWalk) {
  const std::string stages =
      "stages { quantize { smoothquant {} skip: 're:.*mlp.*' } }"
      "stages { quantize { gptq { group_size: 32 dense_correction: 0.5 } skip: 're:.*self_attn.*' } }";
  WatchedStore store(folder_.path() / "statistics");
  const auto alone = Compress(stages, nullptr);
  ASSERT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(Compress(stages, &store), alone);
  EXPECT_EQ(Compress(stages, &store), alone);
  EXPECT_EQ(store.loads, 3);
}

TEST_F(SharedStatisticsTest, WhatVanishesIsGatheredAgain) {
  WatchedStore store(folder_.path() / "statistics");
  const auto alone = Compress(kSmoothQuant, &store);
  for (const int lost : {0, 1, 2}) {
    store.lost = lost;
    EXPECT_EQ(Compress(kSmoothQuant, &store), alone) << lost;
    EXPECT_TRUE(status_.ok()) << status_;
  }
}

TEST_F(SharedStatisticsTest, ABrokenOffWalkGoesOnWhateverIsStored) {
  const auto alone = Compress(kAwq, nullptr);
  WatchedStore full(folder_.path() / "full"), empty(folder_.path() / "empty");
  Compress(kAwq, &full);
  for (const auto& [first, second] : {std::pair<StatisticsStore*, StatisticsStore*>{nullptr, &full},
                                      {&full, nullptr},
                                      {&full, &full},
                                      {&empty, &empty}}) {
    testing::MemoryCheckpoint checkpoint;
    checkpoint.after_save = [](int block) { return block == 1 ? absl::AbortedError("killed") : absl::OkStatus(); };
    Compress(kAwq, first, &checkpoint);
    EXPECT_EQ(status_.code(), absl::StatusCode::kAborted);
    checkpoint.after_save = nullptr;
    EXPECT_EQ(Compress(kAwq, second, &checkpoint), alone);
    EXPECT_TRUE(status_.ok()) << status_;
  }
}

}  // namespace
}  // namespace tersor
