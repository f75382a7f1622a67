#include "server/tersord/run_server.h"

#include <grpc/support/log.h>
#include <signal.h>

#include <cstdio>
#include <ctime>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/log.h"
#include "server/planning/child_planner.h"
#include "server/tersord/harden_process.h"
#include "server/tersord/server.h"

namespace tersor {
namespace {

// What gRPC says about itself, as a line of our log.
void LogFromGrpc(gpr_log_func_args* args) { Log(LogLevel::kDebug, "grpc", {{"detail", std::string(args->message)}}); }

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Whether a stop signal came within the time.
bool AwaitSignal(const sigset_t& signals, absl::Duration time) {
  const timespec timeout = absl::ToTimespec(time);
  return sigtimedwait(&signals, nullptr, &timeout) > 0;
}

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "tersord: %s\n", std::string(status.message()).c_str());
  return code;
}

void ServeUntilSignal(Server& server, const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  server.Drain();
  while (!server.Drained()) {
    if (!AwaitSignal(signals, absl::Milliseconds(100))) continue;
    Log(LogLevel::kWarning, "second signal: not waiting any longer");
    server.Shutdown(absl::ZeroDuration());
    return;
  }
  // Open watches do not end by themselves; clients connect again to the next server.
  server.Shutdown(absl::Milliseconds(500));
  Log(LogLevel::kInfo, "stopped");
}

// Where models may lie: uploaded ones have a folder of ours.
std::vector<std::filesystem::path> ModelRoots(const ServerOptions& options) {
  std::vector<std::filesystem::path> roots = options.model_roots;
  roots.push_back(options.data / "models");
  return roots;
}

}  // namespace

int RunServer(int argc, char** argv, std::vector<MethodDescription> methods) {
  ServerOptions options;
  const absl::StatusOr<ParseResult> parsed = ParseServerOptions(argc, argv, options);
  if (!parsed.ok()) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(parsed.status().message(), "; see tersord --help")), 2);
  }
  if (*parsed == ParseResult::kExit) return 0;
  const absl::Status level = SetLogLevel(options.log_level);
  if (!level.ok()) return Fail(level, 2);
  for (const std::filesystem::path& folder : options.missing_folders) {
    Log(LogLevel::kWarning, "the folder named by --model-root or --data-path is not there",
        {{"path", folder.string()}});
  }
  const absl::Status hardened = HardenProcess();
  if (!hardened.ok()) Log(LogLevel::kWarning, "not hardened", {{"error", hardened.ToString()}});
  gpr_set_log_function(LogFromGrpc);
  // Blocked in every thread, so that only the wait below receives them.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const SystemClock clock;
  ChildPlanner planner({.worker_program = options.worker,
                        .model_roots = ModelRoots(options),
                        .memory_bytes = options.planner_memory_bytes},
                       std::move(methods), clock);
  const absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options, planner);
  if (!server.ok()) return Fail(server.status(), absl::IsInvalidArgument(server.status()) ? 2 : 1);
  std::printf("tersord listens on %s, metrics on http://%s/metrics\n", (*server)->address().c_str(),
              (*server)->metrics_address().c_str());
  std::fflush(stdout);
  ServeUntilSignal(**server, signals);
  return 0;
}

}  // namespace tersor
