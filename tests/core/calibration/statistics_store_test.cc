#include "core/calibration/statistics_store.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

const std::set<Statistic> kAll(std::begin(kStoredStatistics), std::end(kStoredStatistics));
constexpr int64_t kPlenty = 1 << 24;

std::vector<float> Inputs(int64_t tokens, int64_t width, const std::vector<float>& scales) {
  std::mt19937 random(static_cast<unsigned>(width));
  std::normal_distribution<float> normal;
  std::vector<float> inputs(tokens * width);
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = normal(random) / scales[i % width];
  return inputs;
}

InputStatistics Gather(int64_t width, const std::set<Statistic>& wanted, std::vector<float> scales = {}) {
  scales.resize(width, 1.0f);
  InputStatistics statistics(width, wanted);
  const std::vector<float> inputs = Inputs(50, width, scales);
  EXPECT_TRUE(statistics.Add({.inputs = {inputs.data(), 50, width}, .dense_inputs = {}}, 1, nullptr).ok());
  return statistics;
}

std::vector<std::byte> BytesOf(const InputStatistics& statistics, Statistic statistic) {
  const Tensor values = statistics.Values(statistic);
  return {values.bytes().begin(), values.bytes().end()};
}

StatisticsKey Key(const std::string& model) { return {model, "text", "isa", "1"}; }

TEST(StatisticsStoreTest, GivesBackWhatItWasGiven) {
  const testing::ScratchFolder folder;
  const std::vector<InputStatistics> block = {Gather(20, kAll), Gather(70, kAll)};
  OpenStatisticsFolder(folder.path(), Key("a"), kPlenty)->Save(3, block);
  const auto store = OpenStatisticsFolder(folder.path(), Key("a"), kPlenty);
  const auto loaded = store->Load(3, kAll);
  ASSERT_TRUE(loaded.has_value());
  ASSERT_EQ(loaded->size(), 2);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*loaded)[i].tokens(), 50);
    EXPECT_EQ((*loaded)[i].width(), block[i].width());
    for (const Statistic statistic : kAll) {
      EXPECT_EQ(BytesOf((*loaded)[i], statistic), BytesOf(block[i], statistic)) << StatisticName(statistic);
    }
    EXPECT_EQ((*loaded)[i].MeanMagnitudes(), block[i].MeanMagnitudes());
    EXPECT_EQ((*loaded)[i].Norms(), block[i].Norms());
  }
}

TEST(StatisticsStoreTest, KnowsStatisticsOneByOne) {
  const testing::ScratchFolder folder;
  const auto store = OpenStatisticsFolder(folder.path(), Key("a"), kPlenty);
  const std::set<Statistic> range = {Statistic::kRange}, both = {Statistic::kRange, Statistic::kAbsMax};
  EXPECT_TRUE(store->Holds(1, {}));
  store->Save(0, {Gather(20, range)});
  EXPECT_TRUE(store->Holds(1, range));
  EXPECT_FALSE(store->Holds(2, range));
  EXPECT_FALSE(store->Holds(1, both));
  EXPECT_FALSE(store->Load(0, both).has_value());
  store->Save(0, {Gather(20, {Statistic::kAbsMax})});
  const auto loaded = store->Load(0, both);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ((*loaded)[0].absmax(), Gather(20, both).absmax());
  EXPECT_EQ((*loaded)[0].maxima(), Gather(20, both).maxima());
  EXPECT_FALSE(OpenStatisticsFolder(folder.path(), Key("b"), kPlenty)->Holds(1, range));
}

TEST(StatisticsStoreTest, DamagedFilesAreNotBelieved) {
  const testing::ScratchFolder folder;
  const auto store = OpenStatisticsFolder(folder.path(), Key("a"), kPlenty);
  store->Save(0, {Gather(20, kAll)});
  for (const Statistic statistic : kAll) {
    const fs::path path =
        folder.path() / Key("a").Hash() / ("0." + std::string(StatisticName(statistic)) + ".safetensors");
    ASSERT_TRUE(fs::is_regular_file(path)) << path;
    const auto size = fs::file_size(path);
    fs::resize_file(path, size - 4);
    EXPECT_FALSE(store->Load(0, {statistic}).has_value()) << path;
    fs::resize_file(path, 0);
    EXPECT_FALSE(store->Load(0, {statistic}).has_value()) << path;
  }
  // A file of another statistic under its name.
  store->Save(0, {Gather(20, {Statistic::kAbsMax})});
  const fs::path own = folder.path() / Key("a").Hash();
  fs::copy_file(own / "0.absmax.safetensors", own / "0.range.safetensors", fs::copy_options::overwrite_existing);
  EXPECT_FALSE(store->Load(0, {Statistic::kRange}).has_value());
}

TEST(StatisticsStoreTest, StaysBelowItsBound) {
  const testing::ScratchFolder folder;
  const std::set<Statistic> moment = {Statistic::kSecondMoment};
  const auto size = [&] {
    int64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file()) bytes += static_cast<int64_t>(entry.file_size());
    }
    return bytes;
  };
  // One block takes 20 kB.
  const std::vector<InputStatistics> block = {Gather(100, moment)};
  constexpr int64_t kMost = 50000;
  OpenStatisticsFolder(folder.path(), Key("old"), kMost)->Save(0, block);
  fs::last_write_time(folder.path() / Key("old").Hash(), fs::file_time_type::clock::now() - std::chrono::hours(1));
  OpenStatisticsFolder(folder.path(), Key("newer"), kMost)->Save(0, block);
  const auto store = OpenStatisticsFolder(folder.path(), Key("newest"), kMost);
  store->Save(0, block);
  EXPECT_FALSE(fs::exists(folder.path() / Key("old").Hash()));
  EXPECT_TRUE(OpenStatisticsFolder(folder.path(), Key("newer"), kMost)->Holds(1, moment));
  EXPECT_TRUE(store->Holds(1, moment));
  for (int i = 1; i < 5; ++i) store->Save(i, block);
  EXPECT_FALSE(store->Holds(5, moment));
  EXPECT_LT(size(), kMost + 1000);
}

TEST(StatisticsStoreTest, ScaledInputsHaveScaledStatistics) {
  std::vector<float> scales(70);
  for (size_t i = 0; i < scales.size(); ++i) scales[i] = 0.25f * static_cast<float>(1 << (i % 5));
  const InputStatistics divided = Gather(70, kAll).DividedBy(scales), expected = Gather(70, kAll, scales);
  // Powers of two change no digit.
  EXPECT_EQ(divided.absmax(), expected.absmax());
  EXPECT_EQ(divided.minima(), expected.minima());
  EXPECT_EQ(divided.maxima(), expected.maxima());
  EXPECT_EQ(divided.MeanMagnitudes(), expected.MeanMagnitudes());
  EXPECT_EQ(divided.Norms(), expected.Norms());
  EXPECT_EQ(BytesOf(divided, Statistic::kSample), BytesOf(expected, Statistic::kSample));
  EXPECT_EQ(BytesOf(divided, Statistic::kSecondMoment), BytesOf(expected, Statistic::kSecondMoment));
}

TEST(StatisticsStoreTest, KeysDependOnEveryPart) {
  const CalibrationTokens one = {{1, 2, 3, 4}, {0, 2, 4}}, cut_otherwise = {{1, 2, 3, 4}, {0, 4}};
  EXPECT_NE(TokensSha256(one), TokensSha256(cut_otherwise));
  std::set<std::string> hashes;
  for (const StatisticsKey& key : {Key("a"), Key("b"), StatisticsKey{"a", "other", "isa", "1"},
                                   StatisticsKey{"a", "text", "other", "1"}, StatisticsKey{"a", "text", "isa", "2"}}) {
    hashes.insert(key.Hash());
  }
  EXPECT_EQ(hashes.size(), 5);
}

}  // namespace
}  // namespace tersor
