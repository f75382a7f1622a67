#include "server/planning/planner_process.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "server/executor/process_info.h"
#include "server/executor/spawn.h"
#include "server/planning/frame.h"

namespace tersor {

absl::StatusOr<std::unique_ptr<PlannerProcess>> PlannerProcess::Start(const std::filesystem::path& program,
                                                                      int64_t memory_bytes) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return ErrnoStatus(errno, "making a socket for", program);
  }
  const absl::StatusOr<pid_t> pid =
      SpawnHelper({program.string(), "--serve-planner", "--planner-memory", absl::StrCat(memory_bytes)}, sockets[1]);
  close(sockets[1]);
  if (pid.ok()) return std::unique_ptr<PlannerProcess>(new PlannerProcess(*pid, sockets[0]));
  close(sockets[0]);
  return absl::InternalError(absl::StrCat("no process that reads models can be started: ", pid.status().message()));
}

PlannerProcess::~PlannerProcess() {
  close(socket_);
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

absl::StatusOr<v1::PlannerResponse> PlannerProcess::Ask(const v1::PlannerRequest& request,
                                                        absl::FunctionRef<absl::Status()> go_on) {
  TERSOR_RETURN_IF_ERROR(SendFrame(socket_, request));
  v1::PlannerResponse response;
  TERSOR_RETURN_IF_ERROR(ReceiveFrame(socket_, go_on, response));
  was_asked_ = true;
  return response;
}

int64_t PlannerProcess::MemoryBytes() const { return ReadUnsharedRss(pid_); }

std::string PlannerProcess::Ending() {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, 0) != pid_) return "it cannot be found any more";
  pid_ = 0;
  if (WIFSIGNALED(status)) return absl::StrCat("killed by signal ", WTERMSIG(status));
  return absl::StrCat("exit code ", WEXITSTATUS(status));
}

}  // namespace tersor
