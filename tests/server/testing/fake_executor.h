// Workers that are entries of a map.
#ifndef TERSOR_TESTS_SERVER_TESTING_FAKE_EXECUTOR_H_
#define TERSOR_TESTS_SERVER_TESTING_FAKE_EXECUTOR_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "server/executor/executor.h"

namespace tersor::testing {

class FakeExecutor final : public Executor {
 public:
  struct Worker {
    LaunchSpec spec;
    // What the token file held when the worker was started.
    std::string token;
    WorkerStatus status;
    std::vector<StopMode> stops;
    // SIGTERM and SIGKILL end it.
    bool dies_when_killed = true;
  };

  absl::StatusOr<std::string> Start(const LaunchSpec& spec) override {
    if (!start_error.ok()) return start_error;
    const std::string handle = absl::StrCat(spec.job_id, "#", spec.attempt);
    Worker& worker = workers[handle];
    worker.spec = spec;
    worker.token = ReadFile(spec.token_file).value_or("");
    worker.status.running = true;
    return handle;
  }
  WorkerStatus Poll(absl::string_view handle) override {
    const auto found = workers.find(std::string(handle));
    return found == workers.end() ? WorkerStatus() : found->second.status;
  }
  void Stop(absl::string_view handle, StopMode mode) override {
    const auto found = workers.find(std::string(handle));
    if (found == workers.end()) return;
    found->second.stops.push_back(mode);
    if (mode == StopMode::kKill && found->second.dies_when_killed) found->second.status.running = false;
  }
  absl::Status Reattach(absl::string_view handle, const LaunchSpec&) override {
    return Poll(handle).running ? absl::OkStatus() : absl::NotFoundError("gone");
  }
  absl::StatusOr<std::string> Adopt(int64_t process_id, const LaunchSpec& spec) override {
    const std::string handle = absl::StrCat("adopted:", process_id);
    workers[handle].spec = spec;
    workers[handle].status.running = true;
    return handle;
  }
  void Forget(absl::string_view handle) override { forgotten.push_back(std::string(handle)); }

  std::map<std::string, Worker> workers;
  std::vector<std::string> forgotten;
  absl::Status start_error;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_TESTING_FAKE_EXECUTOR_H_
