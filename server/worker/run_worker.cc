// The program around one attempt: flags, signals, exit code.
#include <grpc/support/log.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "absl/strings/ascii.h"
#include "core/base/atomic_file.h"
#include "server/base/log.h"
#include "server/planning/serve_planner.h"
#include "server/worker/worker.h"

namespace tersor {
namespace {

// Signal handlers reach no object but a global one.
CancellationToken g_cancellation;

void OnStopSignal(int) { g_cancellation.Cancel(); }

void InstallSignals() {
  struct sigaction action = {};
  action.sa_handler = OnStopSignal;
  sigaction(SIGTERM, &action, nullptr);
  // The server's terminal is not ours.
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
}

// When the machine runs out of memory the kernel shall end a worker, whose job goes on from its checkpoint, rather than
// the server.
void OfferToTheOomKiller() { std::ofstream("/proc/self/oom_score_adj") << 500; }

void LogFromGrpc(gpr_log_func_args* args) { Log(LogLevel::kDebug, "grpc", {{"detail", std::string(args->message)}}); }

}  // namespace

int RunWorker(int argc, char** argv) {
  WorkerOptions options;
  LinkOptions link_options;
  std::string token_file;
  double patience_seconds = 600;
  CLI::App app("Runs one attempt of a job for tersord, or reads models for it; tersord starts it, not for use by hand.",
               "tersor-worker");
  app.set_version_flag("--version", "tersor-worker " TERSOR_VERSION);
  app.add_option("--endpoint-file", link_options.endpoint_file, "File that holds the server's address");
  app.add_option("--token-file", token_file, "File that holds the attempt's token");
  app.add_option("--job", options.job_id, "The job");
  app.add_option("--attempt", options.attempt, "Number of the attempt");
  app.add_option("--patience", patience_seconds, "Seconds that the server may be away before the worker gives up")
      ->capture_default_str();
  bool serves_planner = false;
  int64_t planner_memory = 0;
  app.add_flag("--serve-planner", serves_planner, "Answer tersord's questions about models by standard input");
  app.add_option("--planner-memory", planner_memory, "Bytes of memory for that, mapped files not counted; 0: no limit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (serves_planner) return ServePlanner(STDIN_FILENO, planner_memory);
  gpr_set_log_function(LogFromGrpc);
  InstallSignals();
  OfferToTheOomKiller();
  if (options.job_id.empty() || options.attempt < 1) {
    std::fprintf(stderr, "tersor-worker: --endpoint-file, --token-file, --job and --attempt are needed\n");
    return 2;
  }
  const absl::StatusOr<std::string> token = ReadFile(token_file, 4096);
  if (!token.ok()) {
    std::fprintf(stderr, "tersor-worker: %s\n", token.status().ToString().c_str());
    return 2;
  }
  link_options.token = std::string(absl::StripAsciiWhitespace(*token));
  link_options.patience = absl::Seconds(patience_seconds);
  const SystemClock clock;
  ServerLink link(std::move(link_options), clock);
  const absl::Status status = RunAttempt(options, link, g_cancellation);
  if (status.ok()) return 0;
  Log(LogLevel::kError, "the server did not hear the end of this attempt",
      {{"job", options.job_id}, {"attempt", int64_t{options.attempt}}, {"error", status.ToString()}});
  return 1;
}

}  // namespace tersor
