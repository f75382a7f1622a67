// A worker's line to its server, which may be away for a while.
#ifndef TERSOR_SERVER_WORKER_SERVER_LINK_H_
#define TERSOR_SERVER_WORKER_SERVER_LINK_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "tersor/v1/worker_service.grpc.pb.h"

namespace tersor {

struct LinkOptions {
  std::filesystem::path endpoint_file;
  std::string token;
  // How long a server may be away before the worker gives up.
  absl::Duration patience = absl::Minutes(10);
  absl::Duration call_timeout = absl::Seconds(10);
  absl::Duration first_backoff = absl::Milliseconds(100);
  absl::Duration last_backoff = absl::Seconds(2);
};

// Thread-safe. Calls are repeated until the server has done what they ask or has said that it never will, each time
// reading its address anew, as it may have restarted elsewhere. Every call of WorkerService is safe to repeat.
class ServerLink {
 public:
  using Stub = v1::WorkerService::Stub;

  // `clock` outlives it.
  ServerLink(LinkOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  // The answer of `call`, repeated after every error but IsFencedOff and INVALID_ARGUMENT: an overloaded server or a
  // full disk passes. UNAVAILABLE once the server was away for longer than the patience or Close was called.
  absl::Status Call(absl::FunctionRef<grpc::Status(Stub&, grpc::ClientContext&)> call);
  // One try.
  absl::Status CallOnce(absl::FunctionRef<grpc::Status(Stub&, grpc::ClientContext&)> call);
  // Ends waits between tries; calls still make one try.
  void Close();
  // Since the server last answered, or since construction.
  absl::Duration Silence() const;
  bool PatienceIsOver() const { return Silence() > options_.patience; }

 private:
  absl::StatusOr<std::shared_ptr<Stub>> Connect() ABSL_LOCKS_EXCLUDED(mutex_);

  const LinkOptions options_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::string address_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<Stub> stub_ ABSL_GUARDED_BY(mutex_);
  absl::Duration last_answer_ ABSL_GUARDED_BY(mutex_) = clock_.Monotonic();
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// Whether the server says that this attempt is not the current one any more, so that the worker must stop.
bool IsFencedOff(const absl::Status& status);

}  // namespace tersor

#endif  // TERSOR_SERVER_WORKER_SERVER_LINK_H_
