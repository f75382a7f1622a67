// `tersor tasks`, and tasks in `tersor run`: faults before anything runs, answers that outlive a kill.
#include <signal.h>

#include <algorithm>

#include "nlohmann/json.hpp"
#include "tests/integration/cli/tersor_process.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr int kItems = 3000;

class CliTasksTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    fs::create_directories(folder_ / "data/tasks");
    std::string items;
    for (int i = 0; i < kItems; ++i) {
      items += Json({{"id", std::to_string(i)},
                     {"context", "Question number " + std::to_string(i * 7919) + ": what comes?"},
                     {"choices", {"a fox", "a hen that runs"}},
                     {"gold", i % 2}})
                   .dump() +
               "\n";
    }
    Write("data/tasks/foxes.jsonl", items);
    Write("data/tasks/foxes.yaml", "name: foxes\nversion: 1\nscorer: choices\nmetrics: [acc, acc_norm]\n");
    Write("r.yaml", "model: model\nevaluate: {tasks: [foxes]}\n");
  }
  // Whole lines of every file of answers under the folder.
  int Answers() const {
    int lines = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
      if (it->path().filename() != "foxes.jsonl" || it->path().parent_path().filename() == "tasks") continue;
      const std::string text = Read(fs::relative(it->path(), folder_).string());
      lines += static_cast<int>(std::count(text.begin(), text.end(), '{'));
    }
    return lines;
  }
};

TEST_F(CliTasksTest, ListsAndDescribes) {
  const ProcessResult list = Tersor({"tasks", "--data-path", "data", "--output", "json"});
  ASSERT_EQ(list.code, 0) << list.err;
  const Json tasks = Json::parse(list.out)["tasks"];
  EXPECT_GE(tasks.size(), 39);
  EXPECT_THAT(list.out, HasSubstr("3000 items"));
  EXPECT_THAT(Tersor({"tasks", "gsm8k"}).out, HasSubstr("\"regex_pattern\": \"#### "));
  EXPECT_THAT(Tersor({"tasks", "kick"}).out, HasSubstr("knowledge_in_context"));
  const ProcessResult unknown = Tersor({"tasks", "arc_esay"});
  EXPECT_NE(unknown.code, 0);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"arc_easy\""));
}

TEST_F(CliTasksTest, ChecksAFileWithItsData) {
  const ProcessResult sound = Tersor({"tasks", "data/tasks/foxes.yaml"});
  EXPECT_EQ(sound.code, 0) << sound.err;
  EXPECT_THAT(sound.out, HasSubstr("sound; foxes.jsonl, 3000 items"));
  EXPECT_THAT(sound.out, HasSubstr("continuation (right): \" a fox\""));
  Write("data/tasks/foxes.yaml", "name: foxes\nversion: 1\nscorer: choices\nmetrics: [accuracy]\n");
  const ProcessResult faulty = Tersor({"tasks", "data/tasks/foxes.yaml"});
  EXPECT_NE(faulty.code, 0);
  EXPECT_THAT(faulty.err, HasSubstr("data/tasks/foxes.yaml:4:11: metrics[0]"));
}

TEST_F(CliTasksTest, AKilledRunGoesOnWithTheNextItem) {
  const std::vector<std::string> run = {"run", "r.yaml", "--workspace", "w", "--data-path", "data"};
  int before = 0;
  {
    TersorProcess process(run, folder_);
    ASSERT_TRUE(process.WaitFor([&] { return Answers() > 0; }));
    process.Signal(SIGKILL);
    EXPECT_EQ(process.Wait().code, 128 + SIGKILL);
    before = Answers();
    ASSERT_LT(before, kItems) << "the job was over before it was killed";
  }
  const ProcessResult result = Tersor(run);
  ASSERT_EQ(result.code, 0) << result.err;
  const Json report = Json::parse(Read("w/artifacts/report.json"));
  const Json& task = report["tasks"][0];
  EXPECT_EQ(task["items"].size(), kItems);
  // The last answer may have been written by half.
  EXPECT_GE(task["cached"], before - 1);
  EXPECT_LE(task["cached"], before);
  EXPECT_EQ(Tersor({"run", "r.yaml", "--workspace", "other", "--data-path", "data"}).code, 0);
  const Json again = Json::parse(Read("other/artifacts/report.json"));
  EXPECT_EQ(again["tasks"][0]["cached"], kItems);
  EXPECT_EQ(again["tasks"][0]["items"], task["items"]);
}

TEST_F(CliTasksTest, FaultsOfTheRecipeHaveTheirLines) {
  Write("r.yaml", "model: model\nevaluate:\n  tasks:\n    - foxes\n    - {name: foxen, limit: 5}\n");
  const ProcessResult result = Tersor({"run", "r.yaml", "--data-path", "data"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("r.yaml:5:"));
  EXPECT_THAT(result.err, HasSubstr("task \"foxen\" is not known; did you mean \"foxes\""));
}

}  // namespace
}  // namespace tersor::testing
