// A process that reads models: tersor-worker in its other mode.
#ifndef TERSOR_SERVER_PLANNING_PLANNER_PROCESS_H_
#define TERSOR_SERVER_PLANNING_PLANNER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "tersor/v1/planner.pb.h"

namespace tersor {

// Killed when destroyed; also ends by itself with this process. Not thread-safe.
class PlannerProcess {
 public:
  // The process may have `memory_bytes` of memory, mapped files not counted.
  static absl::StatusOr<std::unique_ptr<PlannerProcess>> Start(const std::filesystem::path& program,
                                                               int64_t memory_bytes);
  ~PlannerProcess();
  PlannerProcess(const PlannerProcess&) = delete;
  PlannerProcess& operator=(const PlannerProcess&) = delete;

  // Its answer. `go_on` ends the wait with its error. UNAVAILABLE when the process died, see Ending. After any error it
  // cannot be asked again.
  absl::StatusOr<v1::PlannerResponse> Ask(const v1::PlannerRequest& request, absl::FunctionRef<absl::Status()> go_on);
  // Whether it has answered before.
  bool was_asked() const { return was_asked_; }
  // Resident memory, mapped files not counted.
  int64_t MemoryBytes() const;
  // How it died, in words: "killed by signal 9".
  std::string Ending();

 private:
  PlannerProcess(pid_t pid, int socket) : pid_(pid), socket_(socket) {}

  pid_t pid_;
  int socket_;
  bool was_asked_ = false;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_PLANNING_PLANNER_PROCESS_H_
