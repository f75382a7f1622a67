// A real tersord in a folder of its own.
#ifndef TERSOR_TESTS_SERVER_TESTING_SERVER_PROCESS_H_
#define TERSOR_TESTS_SERVER_TESTING_SERVER_PROCESS_H_

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/status.h"

namespace tersor::testing {

// Asks `condition` again and again until it holds; false when it did not within `seconds`.
bool Eventually(const std::function<bool()>& condition, double seconds = 30);

struct ServerCommand {
  std::filesystem::path tersord;
  std::filesystem::path worker;
  std::filesystem::path data;
  std::vector<std::string> flags;
  std::string listen = "127.0.0.1:0";
};

// Starts tersord on free ports. Killed when destroyed. Not thread-safe.
class ServerProcess {
 public:
  // Returns once the server answers, i.e. its endpoint file is there; an error with what it wrote when it ended first.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(const ServerCommand& command);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& address() const { return address_; }
  const std::string& metrics_address() const { return metrics_address_; }
  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // Waits for its end: the exit code, or minus the signal.
  int Wait();
  // SIGKILL and Wait.
  void Kill();

 private:
  ServerProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_;
  bool ended_ = false;
  std::string address_;
  std::string metrics_address_;
};

struct ProgramResult {
  int exit_code = 0;
  std::string output;
};
// Runs a program to its end.
ProgramResult RunProgram(const std::vector<std::string>& arguments, const std::filesystem::path& log);

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_TESTING_SERVER_PROCESS_H_
