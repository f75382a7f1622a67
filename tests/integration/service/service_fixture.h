// A folder, a model file and a real tersord with workers over the fake pipeline.
#ifndef TERSOR_TESTS_INTEGRATION_SERVICE_SERVICE_FIXTURE_H_
#define TERSOR_TESTS_INTEGRATION_SERVICE_SERVICE_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/server/testing/server_process.h"
#include "tests/server/testing/service_client.h"

namespace tersor::testing {

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override;
  // Cancels what still runs, so that no worker is left behind.
  void TearDown() override;

  // Starts the server on the test's data folder, with these flags.
  void StartServer(std::vector<std::string> flags = {});
  // Starts another one after the last was killed or stopped; the client talks to it.
  void RestartServer();
  ServerCommand Command(std::vector<std::string> flags = {}) const;
  ServiceClient& client() { return *client_; }
  ServerProcess& server() { return *server_; }

  std::filesystem::path data() const { return folder_ / "data"; }
  std::filesystem::path gate() const { return folder_ / "gate"; }
  void OpenGate() const;
  // A job over the fake pipeline, whose script (fake_pipeline.cc) is `script`.
  v1::SubmitJobRequest Request(const std::string& script) const;
  // Submits it; the test fails when that is refused.
  v1::Job Submit(const std::string& script);
  v1::Job AwaitEnd(const std::string& id);
  // Watches until the layer event of block `block`; returns what was seen.
  std::vector<v1::Event> WatchUntilBlock(const std::string& id, int block);
  // The process that works on the job; 0 where there is none.
  pid_t WorkerPid(const std::string& id) const;

  std::filesystem::path folder_;
  std::filesystem::path model_;
  // The programs over the fake pipeline, unless a test sets others.
  std::filesystem::path tersord_;
  std::filesystem::path worker_;

 private:
  std::vector<std::string> flags_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<ServiceClient> client_;
};

// Sequence numbers must run from first to first + size - 1.
void ExpectGapless(const std::vector<v1::Event>& events, int64_t first);

bool IsEnded(v1::JobState state);

// A watch's stop condition that never holds.
inline bool ToTheEnd(const v1::Event&) { return false; }

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_INTEGRATION_SERVICE_SERVICE_FIXTURE_H_
