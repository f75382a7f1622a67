// The server that workers talk to, apart from the one for clients.
#ifndef TERSOR_SERVER_TERSORD_WORKER_LISTENER_H_
#define TERSOR_SERVER_TERSORD_WORKER_LISTENER_H_

#include <grpcpp/server.h>

#include <filesystem>
#include <memory>
#include <string>

#include "core/base/status.h"
#include "server/base/clock.h"
#include "server/metrics/server_metrics.h"
#include "server/rpc/worker_service.h"
#include "server/store/data_folder.h"

namespace tersor {

// A Unix socket in the data folder, with threads of its own: no number of clients keeps a worker from being heard. Only
// the folder's owner can open it, and each call shows its attempt's token. Thread-safe.
class WorkerListener {
 public:
  // Listens, then writes the address to the folder's worker_endpoint_file. All references outlive it.
  static absl::StatusOr<std::unique_ptr<WorkerListener>> Start(const DataFolder& folder, WorkerServiceImpl& service,
                                                               ServerMetrics& metrics, const Clock& clock);
  ~WorkerListener();
  WorkerListener(const WorkerListener&) = delete;
  WorkerListener& operator=(const WorkerListener&) = delete;

  // Ends open calls, those that do not end by themselves after `grace`.
  void Shutdown(absl::Duration grace);

 private:
  WorkerListener(const DataFolder& folder, std::filesystem::path socket, std::filesystem::path private_folder)
      : folder_(folder), socket_(std::move(socket)), private_folder_(std::move(private_folder)) {}
  absl::Status Listen(WorkerServiceImpl& service, ServerMetrics& metrics, const Clock& clock);

  const DataFolder& folder_;
  const std::filesystem::path socket_;
  // Where the data folder's path would be too long for a socket, or no part of a URI; else empty.
  const std::filesystem::path private_folder_;
  std::unique_ptr<grpc::Server> grpc_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_WORKER_LISTENER_H_
