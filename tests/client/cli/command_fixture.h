// Runs command lines of `tersor` in this process against a server of memory alone.
#ifndef TERSOR_TESTS_CLIENT_CLI_COMMAND_FIXTURE_H_
#define TERSOR_TESTS_CLIENT_CLI_COMMAND_FIXTURE_H_

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

#include "client/cli/app.h"
#include "client/cli/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/testing/fake_server.h"

namespace tersor::client {

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("command_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    setenv("TERSOR_SERVER", server_.address().c_str(), 1);
    server_.state().job.set_id("j1");
  }
  ~CommandTest() override {
    std::filesystem::remove_all(folder_);
    unsetenv("TERSOR_SERVER");
  }

  // Answers the exit code; what was printed is in out_ and err_.
  int Tersor(std::initializer_list<std::string> arguments) {
    std::vector<const char*> argv = {"tersor"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::ostringstream out, err;
    Console console(out, err);
    int code = RunApp(static_cast<int>(argv.size()), argv.data(), MakeCommands(MakeLocalCommands()), console);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  // The job's state and verdict, with the events that lead there.
  void EndJob(v1::JobState state, v1::Verdict verdict) {
    FakeState& fake = server_.state();
    fake.events = {StateEvent(1, v1::JOB_STATE_RUNNING), ProgressEvent(2, "quantize:rtn", 1, 2), StateEvent(3, state)};
    fake.job.set_state(state);
    fake.job.set_verdict(verdict);
    fake.job.set_last_event_sequence(3);
    fake.report.set_job_id("j1");
    fake.report.set_verdict(verdict);
    fake.report.set_summary("A summary.");
  }

  FakeServer server_;
  std::filesystem::path folder_;
  std::string out_;
  std::string err_;
};

}  // namespace tersor::client

#endif  // TERSOR_TESTS_CLIENT_CLI_COMMAND_FIXTURE_H_
