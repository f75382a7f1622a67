#include "core/pipeline/checkpoint.h"

#include <filesystem>

#include "core/base/atomic_file.h"
#include "core/encoding/dense_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class CheckpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static BlockRecord Record(int block) {
    BlockRecord record;
    record.block = block;
    record.replacements.push_back({"w.weight", *DenseTensor::FromFloats({1, 2}, {1.0f + block, 2})});
    record.replacements.push_back({"gone.weight", nullptr});
    record.layers.emplace_back().set_name("w");
    record.warnings.emplace_back().set_message("caf\xc3\xa9");
    return record;
  }

  fs::path folder_;
};

TEST_F(CheckpointTest, EmptyFolderHasNothing) { EXPECT_FALSE(MakeDiskCheckpoint(folder_)->Load()->has_value()); }

TEST_F(CheckpointTest, GivesBackWhatWasSaved) {
  auto checkpoint = MakeDiskCheckpoint(folder_);
  const std::vector<float> first = {1, 2, 3}, second = {4, 5, 6};
  ASSERT_TRUE(checkpoint->Save(Record(0), first).ok());
  ASSERT_TRUE(checkpoint->Save(Record(1), second).ok());
  std::optional<SavedWalk> walk = *MakeDiskCheckpoint(folder_)->Load();
  ASSERT_TRUE(walk.has_value());
  ASSERT_THAT(walk->records, SizeIs(2));
  EXPECT_THAT(walk->activations, ElementsAre(4, 5, 6));
  const BlockRecord& record = walk->records[1];
  ASSERT_THAT(record.replacements, SizeIs(2));
  EXPECT_THAT(record.replacements[0].tensor->Decode(), ElementsAre(2, 2));
  EXPECT_EQ(record.replacements[1].tensor, nullptr);
  EXPECT_EQ(record.layers[0].name(), "w");
  EXPECT_EQ(record.warnings[0].message(), "caf\xc3\xa9");
}

TEST_F(CheckpointTest, BlockWithoutItsActivationsDoesNotCount) {
  auto checkpoint = MakeDiskCheckpoint(folder_);
  ASSERT_TRUE(checkpoint->Save(Record(0), std::vector<float>{1}).ok());
  fs::copy_file(folder_ / "block-0000.safetensors", folder_ / "block-0001.safetensors");
  std::optional<SavedWalk> walk = *checkpoint->Load();
  EXPECT_THAT(walk->records, SizeIs(1));
}

TEST_F(CheckpointTest, DamagedBlockIsAnError) {
  auto checkpoint = MakeDiskCheckpoint(folder_);
  ASSERT_TRUE(checkpoint->Save(Record(0), std::vector<float>{1}).ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ / "block-0000.safetensors", "damaged").ok());
  EXPECT_FALSE(checkpoint->Load().ok());
}

}  // namespace
}  // namespace tersor
