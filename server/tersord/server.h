// A whole server: folder, stores, supervisor, services, ports.
#ifndef TERSOR_SERVER_TERSORD_SERVER_H_
#define TERSOR_SERVER_TERSORD_SERVER_H_

#include <memory>
#include <string>

#include "server/engine/planner.h"
#include "server/tersord/server_options.h"

namespace tersor {

// Everything runs on threads of its own until it is destroyed. Thread-safe.
class Server {
 public:
  // FAILED_PRECONDITION when the data folder is locked or from a newer Tersor, UNAVAILABLE when a port is in use,
  // INVALID_ARGUMENT for an address that is not loopback. `planner` outlives it.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options, Planner& planner);
  virtual ~Server() = default;

  // HOST:PORT as bound.
  virtual std::string address() const = 0;
  virtual std::string metrics_address() const = 0;
  // Health goes to NOT_SERVING and no attempt is started any more; workers are asked to stop where the options say so.
  virtual void Drain() = 0;
  // Whether a drained server has nothing left to wait for.
  virtual bool Drained() const = 0;
  // Ends open calls, those that do not end by themselves after `grace`.
  virtual void Shutdown(absl::Duration grace) = 0;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_SERVER_H_
