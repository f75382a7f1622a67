#include "tests/integration/service/service_fixture.h"

#include <signal.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"

namespace tersor::testing {

namespace fs = std::filesystem;

bool IsEnded(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED;
}

void ExpectGapless(const std::vector<v1::Event>& events, int64_t first) {
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].sequence(), first + static_cast<int64_t>(i));
}

void ServiceTest::SetUp() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  folder_ = fs::path(::testing::TempDir()) /
            absl::StrCat("tersor-", info->test_suite_name(), "-", info->name(), "-", getpid());
  fs::remove_all(folder_);
  fs::create_directories(folder_ / "models");
  tersord_ = TERSORD_FAKE;
  worker_ = TERSOR_WORKER_FAKE;
  model_ = folder_ / "models" / "tiny.gguf";
  ASSERT_TRUE(WriteFileAtomically(model_, "weights").ok());
}

void ServiceTest::TearDown() {
  if (server_ != nullptr && client_ != nullptr) {
    v1::ListJobsResponse response;
    grpc::ClientContext context;
    const grpc::Status listed = client_->jobs().ListJobs(&context, v1::ListJobsRequest(), &response);
    for (const v1::Job& job : response.jobs()) {
      v1::Job ignored;
      if (listed.ok() && !IsEnded(job.state())) client_->Cancel(job.id(), &ignored);
    }
    for (const v1::Job& job : response.jobs()) {
      EXPECT_TRUE(Eventually([&] { return IsEnded(client_->Get(job.id()).state()); }));
    }
  }
  server_.reset();
  std::error_code error;
  fs::remove_all(folder_, error);
}

ServerCommand ServiceTest::Command(std::vector<std::string> flags) const {
  flags.insert(flags.end(), {"--model-root", (folder_ / "models").string(), "--data-path", folder_.string()});
  return {.tersord = tersord_, .worker = worker_, .data = data(), .flags = std::move(flags)};
}

void ServiceTest::StartServer(std::vector<std::string> flags) {
  flags_ = std::move(flags);
  RestartServer();
}

void ServiceTest::RestartServer() {
  auto process = ServerProcess::Start(Command(flags_));
  ASSERT_TRUE(process.ok()) << process.status();
  server_ = *std::move(process);
  client_ = std::make_unique<ServiceClient>(server_->address());
}

void ServiceTest::OpenGate() const { ASSERT_TRUE(WriteFileAtomically(gate(), "").ok()); }

v1::SubmitJobRequest ServiceTest::Request(const std::string& script) const {
  v1::SubmitJobRequest request;
  request.mutable_recipe()->set_model(model_.string());
  request.mutable_recipe()->set_description(script);
  request.mutable_recipe()->add_stages()->mutable_quantize()->mutable_gptq();
  return request;
}

v1::Job ServiceTest::Submit(const std::string& script) {
  v1::Job job;
  const grpc::Status status = client().Submit(Request(script), &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

v1::Job ServiceTest::AwaitEnd(const std::string& id) {
  std::vector<v1::Event> events;
  client().Watch(id, 0, ToTheEnd, &events);
  return client().Get(id);
}

std::vector<v1::Event> ServiceTest::WatchUntilBlock(const std::string& id, int block) {
  const std::string name = absl::StrCat("model.layers.", block, ".mlp.down_proj");
  std::vector<v1::Event> events;
  client().Watch(
      id, 0, [&](const v1::Event& event) { return event.layer().name() == name; }, &events);
  EXPECT_TRUE(!events.empty() && events.back().layer().name() == name) << "the job never reached block " << block;
  return events;
}

pid_t ServiceTest::WorkerPid(const std::string& id) const {
  // The worker's command line names the job.
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    const absl::StatusOr<std::string> line = ReadFile(entry.path() / "cmdline");
    if (!line.ok()) continue;
    const std::vector<std::string> words = absl::StrSplit(*line, '\0');
    const bool is_worker = words[0] == worker_;
    if (is_worker && std::find(words.begin(), words.end(), id) != words.end()) return pid;
  }
  return 0;
}

}  // namespace tersor::testing
