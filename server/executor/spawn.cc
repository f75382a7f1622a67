#include "server/executor/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "core/base/atomic_file.h"
#include "server/executor/child_environment.h"

namespace tersor {
namespace {

class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // 0 or an error number, as posix_spawn's own functions.
  int Prepare(const std::filesystem::path& log_file) {
    int error = posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0) {
      error = posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, log_file.c_str(),
                                               O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    return error == 0 ? PrepareSignals() : error;
  }

  int PrepareHelper(int socket) {
    int error = posix_spawn_file_actions_adddup2(&actions_, socket, STDIN_FILENO);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    return error == 0 ? PrepareSignals() : error;
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  // The server blocks the signals it waits for; a worker must not inherit that.
  int PrepareSignals() {
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD}) sigaddset(&defaults, signal);
    int error = posix_spawnattr_setsigmask(&attributes_, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(&attributes_, &defaults);
    if (error != 0) return error;
    return posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// `error` is what preparing the settings gave.
absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments, const SpawnSettings& settings, int error) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> environment = ChildEnvironment(environ);
  std::vector<char*> envp;
  for (std::string& variable : environment) envp.push_back(variable.data());
  envp.push_back(nullptr);
  pid_t pid = 0;
  if (error == 0)
    error = posix_spawn(&pid, argv[0], settings.actions(), settings.attributes(), argv.data(), envp.data());
  if (error != 0) return ErrnoStatus(error, "starting", arguments[0]);
  return pid;
}

}  // namespace

absl::StatusOr<pid_t> SpawnDetached(const std::vector<std::string>& arguments, const std::filesystem::path& log_file) {
  SpawnSettings settings;
  const int error = settings.Prepare(log_file);
  return Spawn(arguments, settings, error);
}

absl::StatusOr<pid_t> SpawnHelper(const std::vector<std::string>& arguments, int socket) {
  SpawnSettings settings;
  const int error = settings.PrepareHelper(socket);
  return Spawn(arguments, settings, error);
}

}  // namespace tersor
