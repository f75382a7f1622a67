// How a server is started.
#ifndef TERSOR_SERVER_TERSORD_SERVER_OPTIONS_H_
#define TERSOR_SERVER_TERSORD_SERVER_OPTIONS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/base/status.h"
#include "server/tersord/tls_files.h"

namespace tersor {

struct ServerOptions {
  std::string listen = "127.0.0.1:7433";
  std::string metrics_listen = "127.0.0.1:7434";
  TlsFiles tls;
  // Every call needs an API token.
  bool tokens = false;
  // Of one API token; 0: no limit.
  double calls_per_second = 0;
  // Addresses that others reach may go unprotected.
  bool insecure_listen = false;
  std::filesystem::path data;
  std::vector<std::filesystem::path> model_roots;
  std::vector<std::filesystem::path> data_paths;
  // 0: what the container or machine allows.
  int threads = 0;
  int64_t memory_bytes = 0;
  // Of a process that reads models for plans, imports and lints.
  int64_t planner_memory_bytes = int64_t{4} << 30;
  int64_t max_queued = 10000;
  // Between two copies of the database; 0: none.
  double backup_hours = 1;
  int max_attempts = 3;
  // Of those that the command line names, the folders that are not there.
  std::vector<std::filesystem::path> missing_folders;
  std::filesystem::path worker;
  double heartbeat_timeout_seconds = 20;
  std::string log_level = "info";
  // At the end workers are told to stop at their checkpoint; else they go on and find the next server.
  bool stop_workers_on_exit = false;
};

enum class ParseResult { kRun, kExit };

// Reads the command line. kExit after --help or --version was printed. INVALID_ARGUMENT says what is wrong.
absl::StatusOr<ParseResult> ParseServerOptions(int argc, char** argv, ServerOptions& options);

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_SERVER_OPTIONS_H_
