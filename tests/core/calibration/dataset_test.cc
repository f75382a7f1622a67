#include "core/calibration/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Sets a variable of the environment until it leaves the scope; null unsets.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name); old != nullptr) old_ = old;
    Set(value);
  }
  ~ScopedVariable() { Set(old_.has_value() ? old_->c_str() : nullptr); }

 private:
  void Set(const char* value) { value == nullptr ? unsetenv(name_) : setenv(name_, value, 1); }
  const char* name_;
  std::optional<std::string> old_;
};

class DatasetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(::testing::TempDir()) / absl::StrCat("tersor_dataset_", getpid(), "_", info->name());
    fs::create_directories(root_ / "one/text");
    fs::create_directories(root_ / "one/tasks");
    fs::create_directories(root_ / "two/text");
    Write("one/text/novel.txt", "first");
    Write("two/text/novel.txt", "second");
    Write("two/text/poem.txt", "roses");
    Write("one/tasks/quiz.jsonl", R"({"context": "1+1=", "target": "2"})");
    Write("one/text/notes.md", "not a data set");
    fs::create_directories(root_ / "one/text/folder.txt");
    paths_ = {root_ / "one", root_ / "missing", root_ / "two"};
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& name, absl::string_view text) const {
    std::ofstream(root_ / name, std::ios::binary) << text;
  }

  fs::path root_;
  std::vector<fs::path> paths_;
};

TEST_F(DatasetTest, FindsNamesFolderByFolder) {
  EXPECT_EQ(FindDataset("novel", paths_).value(), root_ / "one/text/novel.txt");
  EXPECT_EQ(FindDataset("poem", paths_).value(), root_ / "two/text/poem.txt");
  EXPECT_EQ(FindDataset("quiz", paths_).value(), root_ / "one/tasks/quiz.jsonl");
}

TEST_F(DatasetTest, TakesPaths) {
  const std::string path = (root_ / "one/text/notes.md").string();
  EXPECT_EQ(FindDataset(path, paths_).value(), path);
  EXPECT_THAT(std::string(FindDataset((root_ / "nothing.txt").string(), paths_).status().message()),
              HasSubstr("by name there are: novel, poem, quiz"));
  EXPECT_EQ(FindDataset((root_ / "one").string(), paths_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DatasetTest, AnUnknownNameListsWhereItLookedAndWhatThereIs) {
  const auto found = FindDataset("folder", paths_);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound);
  const std::string message(found.status().message());
  EXPECT_THAT(message, HasSubstr((root_ / "one/text/folder.txt").string()));
  EXPECT_THAT(message, HasSubstr((root_ / "two/tasks/folder.jsonl").string()));
  EXPECT_THAT(message, HasSubstr("there are: novel, poem, quiz"));
  EXPECT_THAT(std::string(FindDataset("novel", {}).status().message()), HasSubstr("there are: none"));
}

TEST_F(DatasetTest, RefusesNamesThatAreNone) {
  EXPECT_FALSE(FindDataset("", paths_).ok());
  EXPECT_EQ(FindDataset(absl::string_view("novel\0x", 7), paths_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DatasetTest, ListsNamesOnceAndSorted) {
  EXPECT_THAT(ListDatasets(paths_), ElementsAre("novel", "poem", "quiz"));
}

TEST_F(DatasetTest, ReadsTextAndTasks) {
  EXPECT_EQ(ReadText(root_ / "one/text/novel.txt").value(), "first");
  EXPECT_EQ(ReadText(root_ / "one/tasks/quiz.jsonl").value(), "1+1=2");
}

TEST_F(DatasetTest, SaysWhatIsWrongWithAText) {
  Write("empty.txt", "");
  Write("latin1.txt", "caf\xE9");
  Write("broken.jsonl", "{}\n");
  EXPECT_THAT(std::string(ReadText(root_ / "empty.txt").status().message()), HasSubstr("is empty"));
  const auto latin = ReadText(root_ / "latin1.txt");
  EXPECT_EQ(latin.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(latin.status().message()), HasSubstr("latin1.txt: not UTF-8 at byte 3"));
  EXPECT_THAT(std::string(ReadText(root_ / "broken.jsonl").status().message()), HasSubstr("broken.jsonl:1: "));
  EXPECT_EQ(ReadText(root_ / "gone.txt").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadText(root_ / "one").status().code(), absl::StatusCode::kNotFound);
}

TEST(DefaultDataPathsTest, TheVariableDecides) {
  const ScopedVariable variable("TERSOR_DATA_PATH", "/a::/b/c");
  EXPECT_THAT(DefaultDataPaths(), ElementsAre("/a", "/b/c"));
  const ScopedVariable empty("TERSOR_DATA_PATH", "");
  EXPECT_TRUE(DefaultDataPaths().empty());
}

TEST(DefaultDataPathsTest, WithoutItTheFetchedDataIsLast) {
  const ScopedVariable variable("TERSOR_DATA_PATH", nullptr);
  const ScopedVariable home("HOME", "/home/someone");
  ASSERT_FALSE(DefaultDataPaths().empty());
  EXPECT_EQ(DefaultDataPaths().back(), "/home/someone/.cache/tersor/data");
}

}  // namespace
}  // namespace tersor
