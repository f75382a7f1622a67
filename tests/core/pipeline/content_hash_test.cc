#include "core/pipeline/content_hash.h"

#include <filesystem>
#include <fstream>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/atomic_file.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

class ContentHashTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "model");
    Write("config.json", "{}");
    Write("model.safetensors", "weights");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / "model" / name, text).ok());
  }
  // The digests of files that were changed just now are not remembered: asks until they are.
  void HashUntilRemembered() {
    const absl::Time begin = absl::Now();
    std::error_code error;
    const fs::path digests = folder_ / "cache" / "digests";
    do {
      Hash();
      ASSERT_LT(absl::Now() - begin, absl::Seconds(10));
    } while (!fs::is_directory(digests, error) ||
             std::distance(fs::directory_iterator(digests), fs::directory_iterator()) < 2);
  }
  std::string Hash() { return *ModelContentHash(folder_ / "model", folder_ / "cache"); }

  fs::path folder_;
};

TEST_F(ContentHashTest, ChangesWithTheContentsOfModelFilesOnly) {
  const std::string before = Hash();
  Write("README.md", "words");
  EXPECT_EQ(Hash(), before);
  Write("model.safetensors", "weightz");
  EXPECT_NE(Hash(), before);
}

TEST_F(ContentHashTest, FilesThatAreNamedAsPartsNeedNotBeParts) {
  Write("x-00001-of-00002.gguf", "first");
  Write("whole.gguf", "first");
  const fs::path first = folder_ / "model" / "x-00001-of-00002.gguf";
  const absl::StatusOr<std::string> whole = ModelContentHash(first, "");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(*whole, *ModelContentHash(folder_ / "model" / "whole.gguf", ""));
  Write("x-00002-of-00002.gguf", "second");
  EXPECT_NE(*ModelContentHash(first, ""), *whole);
  EXPECT_EQ(ModelContentHash(folder_ / "model" / "none.gguf", "").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ContentHashTest, RemembersDigests) {
  const std::string before = Hash();
  HashUntilRemembered();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "cache" / "digests"), fs::directory_iterator()), 2);
  EXPECT_EQ(Hash(), before);
}

TEST_F(ContentHashTest, DamagedCacheIsNotBelieved) {
  const std::string before = Hash();
  HashUntilRemembered();
  for (const auto& entry : fs::directory_iterator(folder_ / "cache" / "digests")) {
    ASSERT_TRUE(WriteFileAtomically(entry.path(), "short").ok());
  }
  EXPECT_EQ(Hash(), before);
}

TEST_F(ContentHashTest, AWriterThatSetsTheTimeBackIsNoticed) {
  HashUntilRemembered();
  const std::string before = Hash();
  const fs::path file = folder_ / "model" / "model.safetensors";
  const fs::file_time_type time = fs::last_write_time(file);
  std::fstream(file, std::ios::in | std::ios::out) << "W";
  fs::last_write_time(file, time);
  EXPECT_NE(Hash(), before);
}

TEST_F(ContentHashTest, MissingModelIsNotFound) {
  EXPECT_EQ(ModelContentHash(folder_ / "nothing", {}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ContentHashTest, WhereAContainerCameFromIsNotItsContent) {
  const auto hash = [&](const std::string& manifest) {
    Write("tersor.json", manifest);
    return *ContainerContentHash(folder_ / "model");
  };
  const std::string first =
      hash(R"({"recipe_sha256": "a", "program_version": "1", "source": {}, "spec": {"width": 2}})");
  EXPECT_EQ(first.size(), 64);
  EXPECT_EQ(hash(R"({"recipe_sha256": "b", "program_version": "2", "source": {"x": 1}, "spec": {"width": 2}})"), first);
  EXPECT_NE(hash(R"({"recipe_sha256": "a", "program_version": "1", "source": {}, "spec": {"width": 3}})"), first);
  EXPECT_NE(hash(R"({"spec": {"width": 2}, "weights": {"sha256": "0"}})"), first);
  Write("tersor.json", "[1]");
  EXPECT_FALSE(ContainerContentHash(folder_ / "model").ok());
}

}  // namespace
}  // namespace tersor
