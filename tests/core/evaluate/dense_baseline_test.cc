#include "core/evaluate/dense_baseline.h"

#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/evaluate/fake_scoring.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

class DenseBaselineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<int32_t> ids(100);
    std::iota(ids.begin(), ids.end(), 100);
    windows_ = CutWindows(Protocol{.window = 10, .stride = 10}, ids, 1).value_or(ScoredWindows());
  }

  absl::StatusOr<DenseBaseline> Measure(bool keep_hidden = true) {
    return MeasureBaseline([&] { return model_.Scoring(); }, FakeHead::kWidth, windows_, key_, cache_, keep_hidden, {});
  }

  absl::Status Read(bool with_hidden = true, int64_t width = FakeHead::kWidth) {
    return ReadBaseline(cache_, key_, windows_, width, with_hidden).status();
  }

  // Replaces one byte of the file, `from_end` bytes before its end.
  static void Damage(const std::filesystem::path& path, int64_t from_end) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-from_end, std::ios::end);
    const char byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(-from_end, std::ios::end);
    file.put(byte);
  }

  std::filesystem::path HiddenFile() const { return cache_ / "baselines" / (key_.Hash() + ".hidden.safetensors"); }

  testing::ScratchFolder scratch_;
  const std::filesystem::path cache_ = scratch_.path() / "cache";
  ScoredWindows windows_;
  FakeModel model_;
  BaselineKey key_ = {.protocol_hash = "protocol",
                      .model_sha256 = "model",
                      .precision = "f32",
                      .isa = "avx2",
                      .program_version = "0.1.0"};
};

TEST_F(DenseBaselineTest, MeasuresOnceAndReuses) {
  const absl::StatusOr<DenseBaseline> first = Measure();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(first->reused);
  EXPECT_EQ(*model_.passes, 1);
  const absl::StatusOr<DenseBaseline> second = Measure();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->reused);
  EXPECT_EQ(*model_.passes, 1);
  EXPECT_EQ(second->block_nlls, first->block_nlls);
  EXPECT_EQ(second->seconds, first->seconds);
  ASSERT_EQ(second->hidden.shape(), (Shape{90, FakeHead::kWidth}));
  EXPECT_EQ(second->hidden.as<float>()[0], 100000);
  EXPECT_EQ(second->hidden.as<float>()[89 * FakeHead::kWidth], 198008);
}

TEST_F(DenseBaselineTest, WithoutHiddenStatesNoneAreKept) {
  ASSERT_TRUE(Measure(false).ok());
  EXPECT_FALSE(std::filesystem::exists(HiddenFile()));
  EXPECT_TRUE(Read(false).ok());
  EXPECT_EQ(Read(true).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Measure(true).ok());
  EXPECT_EQ(*model_.passes, 2);
  EXPECT_TRUE(Read(true).ok());
  // The fuller file answers both.
  ASSERT_TRUE(Measure(false).ok());
  EXPECT_EQ(*model_.passes, 2);
}

TEST_F(DenseBaselineTest, EveryPartOfTheKeyCounts) {
  std::set<std::string> hashes = {key_.Hash()};
  for (std::string BaselineKey::*field : {&BaselineKey::protocol_hash, &BaselineKey::model_sha256,
                                          &BaselineKey::precision, &BaselineKey::isa, &BaselineKey::program_version}) {
    BaselineKey other = key_;
    other.*field = "other";
    hashes.insert(other.Hash());
  }
  EXPECT_EQ(hashes.size(), 6);
}

TEST_F(DenseBaselineTest, AFileOfAnotherKeyIsNotTrusted) {
  ASSERT_TRUE(Measure().ok());
  const std::filesystem::path before = BaselinePath(cache_, key_);
  key_.isa = "avx512";
  std::filesystem::copy_file(before, BaselinePath(cache_, key_));
  const absl::Status status = Read(false);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("another key"));
}

TEST_F(DenseBaselineTest, DamagedNumbersAreMeasuredAgain) {
  const absl::StatusOr<DenseBaseline> first = Measure();
  ASSERT_TRUE(first.ok());
  for (const std::filesystem::path& path : {BaselinePath(cache_, key_), HiddenFile()}) {
    Damage(path, 3);
    EXPECT_EQ(Read().code(), absl::StatusCode::kDataLoss) << path;
    const int passes = *model_.passes;
    const absl::StatusOr<DenseBaseline> again = Measure();
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_FALSE(again->reused);
    EXPECT_EQ(*model_.passes, passes + 1);
    EXPECT_EQ(again->block_nlls, first->block_nlls);
    EXPECT_TRUE(Read().ok());
  }
}

TEST_F(DenseBaselineTest, TruncatedAndEmptyFilesAreMeasuredAgain) {
  ASSERT_TRUE(Measure().ok());
  for (const std::filesystem::path& path : {BaselinePath(cache_, key_), HiddenFile()}) {
    for (const uintmax_t size : {std::filesystem::file_size(path) - 1, uintmax_t{8}, uintmax_t{0}}) {
      std::filesystem::resize_file(path, size);
      EXPECT_EQ(Read().code(), absl::StatusCode::kDataLoss) << path << " " << size;
      ASSERT_TRUE(Measure().ok());
    }
  }
}

TEST_F(DenseBaselineTest, OtherSizesThanTheWindowsAskForAreRefused) {
  ASSERT_TRUE(Measure().ok());
  EXPECT_EQ(Read(true, FakeHead::kWidth + 1).code(), absl::StatusCode::kDataLoss);
  windows_.windows.pop_back();
  EXPECT_EQ(Read(false).code(), absl::StatusCode::kDataLoss);
}

TEST_F(DenseBaselineTest, ACancelledPassLeavesNothing) {
  CancellationToken token;
  token.Cancel();
  const auto status = MeasureBaseline([&] { return model_.Scoring(); }, FakeHead::kWidth, windows_, key_, cache_, true,
                                      {.cancellation = &token})
                          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(cache_ / "baselines"));
}

TEST_F(DenseBaselineTest, ACacheThatCannotBeMadeIsAnError) {
  ASSERT_TRUE(WriteFileAtomically(cache_, "a file").ok());
  EXPECT_THAT(std::string(Measure().status().message()), HasSubstr(cache_.string()));
}

}  // namespace
}  // namespace tersor
