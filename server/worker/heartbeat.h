// Tells the server each second that the worker lives, and hears whether it should stop.
#ifndef TERSOR_SERVER_WORKER_HEARTBEAT_H_
#define TERSOR_SERVER_WORKER_HEARTBEAT_H_

#include <filesystem>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "core/base/cancellation.h"
#include "server/base/mutex.h"
#include "server/worker/server_link.h"

namespace tersor {

// Runs until destroyed. Sets `cancellation` when the server asks for it, when the attempt is not the current one any
// more, when the server stayed away for longer than the link's patience, or when the workspace is gone.
class Heartbeat {
 public:
  // References outlive it.
  Heartbeat(ServerLink& link, std::string job_id, int attempt, std::filesystem::path workspace,
            CancellationToken& cancellation, absl::Duration period = absl::Seconds(1));
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // Whether the attempt is over for the server, so that there is nobody to report to.
  bool abandoned() const;

 private:
  void Run();
  void BeatOnce();

  ServerLink& link_;
  const std::string job_id_;
  const int attempt_;
  const std::filesystem::path workspace_;
  CancellationToken& cancellation_;
  const absl::Duration period_;
  mutable Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_WORKER_HEARTBEAT_H_
