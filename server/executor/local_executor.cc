#include "server/executor/local_executor.h"

#include <signal.h>
#include <sys/wait.h>

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/executor/process_info.h"
#include "server/executor/spawn.h"

namespace tersor {
namespace {

// Another process may have the pid by now: the start time decides. A zombie has ended, whoever should reap it.
bool IsAlive(const LocalHandle& process) {
  const absl::StatusOr<ProcessStat> stat = ReadProcessStat(process.pid);
  return stat.ok() && stat->start_ticks == process.start_ticks && stat->state != 'Z' && stat->state != 'X';
}

std::string DescribeEnding(int status) {
  if (WIFSIGNALED(status)) return absl::StrCat("killed by signal ", WTERMSIG(status));
  return absl::StrCat("exit code ", WEXITSTATUS(status));
}

}  // namespace

std::string FormatLocalHandle(const LocalHandle& handle) {
  std::string text = absl::StrCat("local:", handle.pid, ":", handle.start_ticks);
  if (!handle.cgroup.empty()) absl::StrAppend(&text, ":", handle.cgroup.string());
  return text;
}

absl::StatusOr<LocalHandle> ParseLocalHandle(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(':', 3));
  LocalHandle handle;
  if (parts.size() < 3 || parts[0] != "local" || !absl::SimpleAtoi(parts[1], &handle.pid) ||
      !absl::SimpleAtoi(parts[2], &handle.start_ticks) || handle.pid <= 1) {
    return absl::InvalidArgumentError(absl::StrCat("malformed worker handle \"", text, "\""));
  }
  if (parts.size() == 4) handle.cgroup = std::string(parts[3]);
  return handle;
}

absl::StatusOr<std::string> LocalExecutor::Start(const LaunchSpec& spec) {
  const std::vector<std::string> arguments = {worker_program_.string(),
                                              "--endpoint-file",
                                              spec.endpoint_file.string(),
                                              "--token-file",
                                              spec.token_file.string(),
                                              "--job",
                                              spec.job_id,
                                              "--attempt",
                                              absl::StrCat(spec.attempt)};
  TERSOR_ASSIGN_OR_RETURN(const pid_t pid, SpawnDetached(arguments, spec.log_file));
  Worker worker;
  worker.child = true;
  worker.memory_bytes = spec.memory_bytes;
  worker.process.pid = pid;
  // Not yet waited for, so that the entry exists even if the worker has ended already.
  const absl::StatusOr<ProcessStat> stat = ReadProcessStat(pid);
  if (stat.ok()) worker.process.start_ticks = stat->start_ticks;
  if (cgroups_.has_value() && spec.memory_bytes > 0) {
    absl::StatusOr<std::filesystem::path> group =
        cgroups_->Enter(absl::StrCat(spec.job_id, "-", spec.attempt), pid, spec.memory_bytes);
    if (group.ok()) worker.process.cgroup = *std::move(group);
  }
  std::string handle = FormatLocalHandle(worker.process);
  const MutexLock lock(mutex_);
  workers_[handle] = std::move(worker);
  return handle;
}

LocalExecutor::Worker* LocalExecutor::Find(absl::string_view handle) {
  const auto found = workers_.find(handle);
  return found == workers_.end() ? nullptr : &found->second;
}

void LocalExecutor::NoticeEnd(Worker& worker) {
  if (worker.ended) return;
  if (worker.child) {
    int status = 0;
    if (waitpid(static_cast<pid_t>(worker.process.pid), &status, WNOHANG) == 0) return;
    worker.ending = DescribeEnding(status);
  } else {
    if (IsAlive(worker.process)) return;
    worker.ending = "ended while it was not this server's child";
  }
  worker.ended = true;
  if (worker.process.cgroup.empty()) return;
  worker.over_limit = worker.over_limit || MemoryCgroups::WasOutOfMemory(worker.process.cgroup);
  MemoryCgroups::Remove(worker.process.cgroup);
}

WorkerStatus LocalExecutor::Poll(absl::string_view handle) {
  const MutexLock lock(mutex_);
  Worker* worker = Find(handle);
  if (worker == nullptr) return {};
  NoticeEnd(*worker);
  WorkerStatus status;
  status.running = !worker->ended;
  status.ending = worker->ending;
  if (status.running) {
    status.rss_bytes = ReadUnsharedRss(worker->process.pid);
    if (worker->memory_bytes > 0 && worker->process.cgroup.empty() && status.rss_bytes > worker->memory_bytes) {
      worker->over_limit = true;
      kill(static_cast<pid_t>(-worker->process.pid), SIGKILL);
    }
  }
  status.out_of_memory = worker->over_limit;
  return status;
}

void LocalExecutor::Stop(absl::string_view handle, StopMode mode) {
  const MutexLock lock(mutex_);
  Worker* worker = Find(handle);
  if (worker == nullptr) return;
  NoticeEnd(*worker);
  if (worker->ended) return;
  kill(static_cast<pid_t>(-worker->process.pid), mode == StopMode::kAsk ? SIGTERM : SIGKILL);
}

absl::Status LocalExecutor::Reattach(absl::string_view handle, const LaunchSpec& spec) {
  TERSOR_ASSIGN_OR_RETURN(const LocalHandle process, ParseLocalHandle(handle));
  if (!IsAlive(process)) return absl::NotFoundError(absl::StrCat("worker ", process.pid, " has ended"));
  Worker worker;
  worker.process = process;
  worker.memory_bytes = spec.memory_bytes;
  const MutexLock lock(mutex_);
  workers_[std::string(handle)] = std::move(worker);
  return absl::OkStatus();
}

absl::StatusOr<std::string> LocalExecutor::Adopt(int64_t process_id, const LaunchSpec& spec) {
  TERSOR_ASSIGN_OR_RETURN(const ProcessStat stat, ReadProcessStat(process_id));
  const std::string handle = FormatLocalHandle({.pid = process_id, .start_ticks = stat.start_ticks, .cgroup = {}});
  TERSOR_RETURN_IF_ERROR(Reattach(handle, spec));
  return handle;
}

void LocalExecutor::Forget(absl::string_view handle) {
  const MutexLock lock(mutex_);
  const auto found = workers_.find(handle);
  if (found != workers_.end() && found->second.ended) workers_.erase(found);
}

}  // namespace tersor
