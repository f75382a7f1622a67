#include "server/tersord/server_options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/calibration/dataset.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

constexpr char kDescription[] =
    "tersord runs compression jobs for the clients on this machine.\n\n"
    "It keeps everything in one data folder: jobs survive its restart, and workers that run meanwhile find the new\n"
    "server. Clients: tersor submit recipe.yaml --wait; any gRPC client (reflection is on): grpcurl -plaintext\n"
    "127.0.0.1:7433 list. Metrics for Prometheus: http://127.0.0.1:7434/metrics.";

constexpr char kFooter[] =
    "Signals: SIGTERM or SIGINT drains: no new attempts, open calls end, running workers go on and find the next "
    "server\n"
    "within ten minutes (or stop at their checkpoint, see --stop-workers-on-exit). A second signal quits at once.\n"
    "Files: DATA/endpoint holds the address that was bound, DATA/metrics-endpoint the one of the metrics.\n"
    "Exit codes: 0 stopped by a signal, 1 could not start (port in use, data folder locked, ...), 2 wrong usage.";

fs::path HomeFolder() {
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? fs::path(".") : fs::path(home);
}

fs::path ProgramFolder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : self.parent_path();
}

absl::StatusOr<fs::path> Absolute(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat(path.string(), ": ", error.message()));
  return absolute.lexically_normal();
}

absl::Status MakeAbsolute(ServerOptions& options) {
  TERSOR_ASSIGN_OR_RETURN(options.data, Absolute(options.data));
  TERSOR_ASSIGN_OR_RETURN(options.worker, Absolute(options.worker));
  for (fs::path* path : {&options.tls.certificate, &options.tls.key, &options.tls.client_ca}) {
    if (path->empty()) continue;
    TERSOR_ASSIGN_OR_RETURN(*path, Absolute(*path));
  }
  for (fs::path& path : options.model_roots) {
    TERSOR_ASSIGN_OR_RETURN(path, Absolute(path));
  }
  for (fs::path& path : options.data_paths) {
    TERSOR_ASSIGN_OR_RETURN(path, Absolute(path));
  }
  return absl::OkStatus();
}

void NoteMissingFolders(const std::vector<fs::path>& folders, ServerOptions& options) {
  for (const fs::path& folder : folders) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) options.missing_folders.push_back(folder);
  }
}

void AddFlags(CLI::App& app, ServerOptions& options) {
  app.add_option("--listen", options.listen, "Address of the service; port 0 takes a free one")->capture_default_str();
  app.add_option("--metrics-listen", options.metrics_listen,
                 "Address of /metrics, /livez and /readyz (HTTP), loopback only; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--tls-cert", options.tls.certificate,
                 "PEM file of the certificate that clients are shown, its chain after it; looked at every second")
      ->type_name("FILE");
  app.add_option("--tls-key", options.tls.key, "PEM file of its private key")->type_name("FILE");
  app.add_option("--client-ca", options.tls.client_ca,
                 "PEM file of the authorities that clients' certificates must come from; without it they need none")
      ->type_name("FILE");
  app.add_flag(
      "--tokens", options.tokens,
      "Ask every call for an API token; where no token of an administrator is valid, a first one is written to "
      "DATA/admin-token");
  app.add_option("--calls-per-second", options.calls_per_second,
                 "Calls that one API token may make, twice as many at once; 0: no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_flag(
      "--insecure-listen", options.insecure_listen,
      "Let --listen and --metrics-listen take addresses that others reach without protection: whoever does may "
      "run jobs, read models and results, and read along");
  app.add_option("--data", options.data, "Folder for jobs, uploads and caches; one tersord at a time")
      ->capture_default_str();
  app.add_option("--model-root", options.model_roots,
                 "Folder that recipes may take models from by path; repeatable; default ~/.cache/tersor/models. "
                 "Uploaded models need none")
      ->allow_extra_args(false);
  app.add_option("--data-path", options.data_paths,
                 "Folder of data sets (text/NAME.txt, tasks/NAME.jsonl); repeatable; default $TERSOR_DATA_PATH")
      ->allow_extra_args(false);
  app.add_option("--threads", options.threads, "Threads that all jobs share; 0: what the container or machine allows")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--memory", options.memory_bytes,
                 "Memory that all jobs share, for example 8GB; 0: what the container or machine allows")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("--max-queued", options.max_queued, "Jobs that may wait; more are refused")
      ->check(CLI::Range(int64_t{1}, int64_t{1000000}))
      ->capture_default_str();
  app.add_option("--backup-hours", options.backup_hours,
                 "Hours between two copies of the database in DATA/backup, of which two are kept; 0: none")
      ->check(CLI::Range(0.0, 8760.0))
      ->capture_default_str();
  app.add_option("--planner-memory", options.planner_memory_bytes,
                 "Memory of a process that reads a model for a plan, an import or a lint, for example 4GB")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(int64_t{64} << 20, int64_t{1} << 50))
      ->capture_default_str();
  app.add_option("--max-attempts", options.max_attempts, "Tries of a job whose worker dies")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--worker", options.worker, "The tersor-worker program; default: beside tersord");
  app.add_option("--heartbeat-timeout", options.heartbeat_timeout_seconds,
                 "Seconds of silence after which a worker is taken for hung and killed")
      ->check(CLI::Range(2.0, 3600.0))
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "Least level of the JSON lines on standard error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  app.add_flag("--stop-workers-on-exit", options.stop_workers_on_exit,
               "On SIGTERM, stop running workers at their checkpoint and queue their jobs again");
}

}  // namespace

absl::StatusOr<ParseResult> ParseServerOptions(int argc, char** argv, ServerOptions& options) {
  options.data = HomeFolder() / ".local/share/tersor";
  options.worker = ProgramFolder() / "tersor-worker";
  CLI::App app(kDescription, "tersord");
  app.footer(kFooter);
  app.set_version_flag("--version", "tersord " TERSOR_VERSION);
  AddFlags(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return absl::InvalidArgumentError(error.what());
    app.exit(error);
    return ParseResult::kExit;
  }
  NoteMissingFolders(options.model_roots, options);
  NoteMissingFolders(options.data_paths, options);
  if (options.model_roots.empty()) options.model_roots.push_back(HomeFolder() / ".cache/tersor/models");
  if (options.data_paths.empty()) options.data_paths = DefaultDataPaths();
  TERSOR_RETURN_IF_ERROR(MakeAbsolute(options));
  return ParseResult::kRun;
}

}  // namespace tersor
