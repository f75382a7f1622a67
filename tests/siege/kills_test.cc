// Kills the server and its workers at random moments over batches of jobs: none may be lost, none done twice, and every
// artifact must be what an undisturbed run gives, byte for byte.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "google/protobuf/text_format.h"
#include "tests/integration/service/service_fixture.h"
#include "tests/testing/tiny_model.h"

namespace tersor::testing {
namespace {

namespace fs = std::filesystem;
using Hashes = std::map<std::string, std::string>;

int FromEnvironment(const char* name, int missing) {
  const char* text = std::getenv(name);
  int value = missing;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : missing;
}

class KillsTest : public ServiceTest {
 protected:
  static constexpr int kJobs = 8;

  void SetUp() override {
    ServiceTest::SetUp();
    tersord_ = TERSORD;
    worker_ = TERSOR_WORKER;
    model_ = folder_ / "models" / "tiny";
    TinyModelOptions options;
    options.layers = 8;
    ASSERT_TRUE(WriteTinyModel(model_, options).ok());
    fs::create_directories(folder_ / "text");
    std::string text;
    for (int i = 0; i < 1000; ++i) text += absl::StrCat("The quick brown fox number ", i * i, " jumps. ");
    ASSERT_TRUE(WriteFileAtomically(folder_ / "text" / "foxes.txt", text).ok());
    generator_.seed(static_cast<unsigned>(FromEnvironment("TERSOR_SIEGE_SEED", 1)));
  }
  v1::SubmitJobRequest JobRequest(int index, const std::string& key) const {
    v1::SubmitJobRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        R"pb(calibration { dataset: "foxes" samples: 4 tokens: 128 }
             stages { quantize { gptq { group_size: 32 } } }
             evaluate { perplexity { dataset: "foxes" window: 64 max_windows: 2 } }
             export: "safetensors")pb",
        request.mutable_recipe()));
    request.mutable_recipe()->mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_bits(3 + index % 2);
    request.mutable_recipe()->mutable_calibration()->set_seed(index / 2 + 1);
    request.mutable_recipe()->set_model(model_.string());
    request.mutable_resources()->set_threads(1);
    request.set_no_cache(true);
    request.set_request_id(absl::StrCat(key, "-", index));
    return request;
  }
  // Submits until the server has it, as a client does: a request id makes that safe.
  std::string SubmitSurely(int index, const std::string& key) {
    v1::Job job;
    EXPECT_TRUE(Eventually([&] { return client().Submit(JobRequest(index, key), &job).ok(); }, 60));
    return job.id();
  }
  Hashes HashesOf(const std::string& id) {
    v1::Report report;
    EXPECT_TRUE(client().Report(id, &report).ok()) << client().Get(id).ShortDebugString();
    Hashes hashes;
    for (const v1::ArtifactInfo& artifact : report.artifacts()) {
      for (const auto& file : artifact.files()) hashes[file.path()] = file.sha256();
    }
    return hashes;
  }
  int CountEnds(const std::string& id) {
    std::vector<v1::Event> events;
    EXPECT_TRUE(client().Watch(id, 0, ToTheEnd, &events).ok());
    ExpectGapless(events, 1);
    return static_cast<int>(std::count_if(events.begin(), events.end(), [](const v1::Event& event) {
      return event.has_state_changed() && IsEnded(event.state_changed().state());
    }));
  }
  std::vector<pid_t> Workers() const {
    std::vector<pid_t> pids;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
      int pid = 0;
      if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
      const absl::StatusOr<std::string> line = ReadFile(entry.path() / "cmdline");
      if (line.ok() && line->find((data() / "jobs").string()) != std::string::npos) pids.push_back(pid);
    }
    return pids;
  }
  int Draw(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(generator_); }
  // Kills somebody; a server is started again.
  void KillOne() {
    std::this_thread::sleep_for(std::chrono::milliseconds(Draw(400)));
    const std::vector<pid_t> workers = Workers();
    if (workers.empty() || Draw(3) == 0) {
      server().Kill();
      ++killed_servers_;
      RestartServer();
    } else {
      kill(workers[static_cast<size_t>(Draw(static_cast<int>(workers.size())))], SIGKILL);
      ++killed_workers_;
    }
  }
  bool AllEnded(const std::vector<std::string>& ids) {
    return std::all_of(ids.begin(), ids.end(),
                       [&](const std::string& id) { return IsEnded(client().Get(id).state()); });
  }

  std::mt19937 generator_;
  int killed_servers_ = 0;
  int killed_workers_ = 0;
};

TEST_F(KillsTest, NoJobIsLostDoneTwiceOrChanged) {
  StartServer({"--max-attempts", "100"});
  std::vector<Hashes> undisturbed;
  for (int i = 0; i < kJobs; ++i) {
    const std::string id = SubmitSurely(i, "calm");
    ASSERT_EQ(AwaitEnd(id).state(), v1::JOB_STATE_SUCCEEDED) << client().Get(id).status_message();
    undisturbed.push_back(HashesOf(id));
    ASSERT_FALSE(undisturbed.back().empty());
  }
  const int kills = FromEnvironment("TERSOR_SIEGE_KILLS", 15);
  int batches = 0;
  while (killed_servers_ + killed_workers_ < kills) {
    const std::string key = absl::StrCat("batch-", batches++);
    std::vector<std::string> ids;
    for (int i = 0; i < kJobs; ++i) ids.push_back(SubmitSurely(i, key));
    while (killed_servers_ + killed_workers_ < kills && !AllEnded(ids)) KillOne();
    for (int i = 0; i < kJobs; ++i) {
      ASSERT_TRUE(Eventually([&] { return IsEnded(client().Get(ids[i]).state()); }, 120)) << "lost: " << ids[i];
      ASSERT_EQ(client().Get(ids[i]).state(), v1::JOB_STATE_SUCCEEDED) << client().Get(ids[i]).status_message();
      EXPECT_EQ(CountEnds(ids[i]), 1) << ids[i];
      EXPECT_EQ(HashesOf(ids[i]), undisturbed[i]) << ids[i];
      EXPECT_EQ(SubmitSurely(i, key), ids[i]) << "the same request is the same job";
    }
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), kJobs);
    // Nothing half-written is left where a next attempt or a reader would meet it.
    for (const auto& entry : fs::recursive_directory_iterator(data() / "jobs")) {
      EXPECT_EQ(entry.path().string().find(".tmp-"), std::string::npos) << entry.path();
    }
  }
  std::cout << "siege: " << killed_workers_ << " workers and " << killed_servers_ << " servers killed over " << batches
            << " batches of " << kJobs << " jobs\n";
}

}  // namespace
}  // namespace tersor::testing
