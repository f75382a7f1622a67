#include "tests/server/testing/server_process.h"

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "server/executor/spawn.h"

namespace tersor::testing {
namespace {

namespace fs = std::filesystem;

int ExitCode(int status) { return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status); }

std::string ReadStripped(const fs::path& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  return text.ok() ? std::string(absl::StripAsciiWhitespace(*text)) : std::string();
}

}  // namespace

bool Eventually(const std::function<bool()>& condition, double seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(const ServerCommand& command) {
  std::error_code error;
  const fs::path endpoint = command.data / "endpoint";
  fs::remove(endpoint, error);
  const fs::path log = fs::path(command.data) += ".log";
  std::vector<std::string> arguments = {command.tersord.string(), "--listen",    command.listen,
                                        "--metrics-listen",       "127.0.0.1:0", "--data",
                                        command.data.string(),    "--worker",    command.worker.string()};
  arguments.insert(arguments.end(), command.flags.begin(), command.flags.end());
  TERSOR_ASSIGN_OR_RETURN(const pid_t pid, SpawnDetached(arguments, log));
  std::unique_ptr<ServerProcess> process(new ServerProcess(pid));
  int status = 0;
  const bool ready = Eventually([&] {
    process->ended_ = waitpid(pid, &status, WNOHANG) == pid;
    return process->ended_ || !ReadStripped(endpoint).empty();
  });
  if (!ready || process->ended_) {
    return absl::UnavailableError(absl::StrCat("tersord did not start (", ExitCode(status), "): ", ReadStripped(log)));
  }
  process->address_ = ReadStripped(endpoint);
  process->metrics_address_ = ReadStripped(command.data / "metrics-endpoint");
  return process;
}

ServerProcess::~ServerProcess() { Kill(); }

void ServerProcess::Signal(int signal) const {
  if (!ended_) kill(pid_, signal);
}

int ServerProcess::Wait() {
  int status = 0;
  if (!ended_) waitpid(pid_, &status, 0);
  ended_ = true;
  return ExitCode(status);
}

void ServerProcess::Kill() {
  Signal(SIGKILL);
  Wait();
}

ProgramResult RunProgram(const std::vector<std::string>& arguments, const fs::path& log) {
  std::error_code error;
  fs::remove(log, error);
  const absl::StatusOr<pid_t> pid = SpawnDetached(arguments, log);
  if (!pid.ok()) return {-1, pid.status().ToString()};
  int status = 0;
  waitpid(*pid, &status, 0);
  return {ExitCode(status), ReadStripped(log)};
}

}  // namespace tersor::testing
