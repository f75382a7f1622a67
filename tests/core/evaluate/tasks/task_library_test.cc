#include "core/evaluate/tasks/task_library.h"

#include <fstream>

#include "core/evaluate/tasks/loaded_task.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class TaskLibraryTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((scratch_.path() / name).parent_path());
    std::ofstream(scratch_.path() / name) << text;
  }
  TaskLibrary Library() const { return TaskLibrary({scratch_.path()}); }

  testing::ScratchFolder scratch_;
};

constexpr char kMine[] = "name: mine\nversion: 1\nscorer: choices\nmetrics: [acc]\nfew_shot: {data: pool}\n";
constexpr char kItem[] = R"({"id": "a", "context": "Q:", "choices": ["x", "y"], "gold": 1, "subject": "s"})";

TEST_F(TaskLibraryTest, UsersFilesStandBesideTheBuiltInOnes) {
  Write("tasks/mine.yaml", kMine);
  Write("tasks/mine.jsonl", kItem);
  const TaskLibrary library = Library();
  EXPECT_THAT(library.TaskNames(), Contains("mine"));
  EXPECT_THAT(library.TaskNames(), Contains("arc_easy"));
  EXPECT_THAT(library.SuiteNames(), ::testing::IsSupersetOf({"kick", "quick", "standard"}));
  v1::TaskEvaluation wanted;
  wanted.set_name("mine");
  const auto task = LoadTask(library, wanted, "");
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->items.size(), 1);
  EXPECT_EQ(task->origin, (scratch_.path() / "tasks/mine.yaml").string());
}

TEST_F(TaskLibraryTest, UnknownNamesAreAnsweredWithTheKnownOnes) {
  const auto task = Library().FindTask("arc_esay");
  EXPECT_EQ(task.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(task.status().message()), HasSubstr("did you mean \"arc_easy\""));
  EXPECT_FALSE(Library().FindTask("../tasks/mine").ok());
  EXPECT_FALSE(Library().FindTask("").ok());
  EXPECT_THAT(std::string(Library().FindSuite("kik").status().message()), HasSubstr("kick"));
}

TEST_F(TaskLibraryTest, AFaultyFileIsNamedWithItsLine) {
  Write("tasks/mine.yaml", "name: mine\nversion: 1\nscorer: choices\nmetrics: [accuracy]\n");
  EXPECT_THAT(std::string(Library().FindTask("mine").status().message()), HasSubstr("mine.yaml:4:11: metrics[0]"));
}

TEST_F(TaskLibraryTest, MissingDataSaysWhereItLooked) {
  Write("tasks/mine.yaml", kMine);
  v1::TaskEvaluation wanted;
  wanted.set_name("mine");
  const auto task = LoadTask(Library(), wanted, "");
  EXPECT_EQ(task.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(task.status().message()), HasSubstr("tasks/mine.jsonl"));
  Write("tasks/mine.parquet", "PAR1");
  EXPECT_THAT(std::string(LoadTask(Library(), wanted, "").status().message()),
              HasSubstr("tasks/mine.parquet is there, but data sets are read as JSON Lines alone"));
}

TEST_F(TaskLibraryTest, ShotsComeFromThePoolAndAreNeverTheQuestion) {
  Write("tasks/mine.yaml", kMine);
  Write("tasks/mine.jsonl", kItem);
  Write("tasks/pool.jsonl",
        absl::StrCat(kItem, "\n", R"({"id": "b", "context": "P:", "choices": ["u", "v"], "gold": 0})"));
  v1::TaskEvaluation wanted;
  wanted.set_name("mine");
  wanted.set_few_shot(1);
  const auto task = LoadTask(Library(), wanted, "");
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->Preamble(task->items[0]), "P: u\n\n");
  wanted.set_few_shot(2);
  EXPECT_THAT(std::string(LoadTask(Library(), wanted, "").status().message()), HasSubstr("needs 2 shots"));
  wanted.set_few_shot(-1);
  EXPECT_FALSE(LoadTask(Library(), wanted, "").ok());
}

}  // namespace
}  // namespace tersor
