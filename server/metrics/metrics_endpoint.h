// The HTTP port that serves /metrics.
#ifndef TERSOR_SERVER_METRICS_METRICS_ENDPOINT_H_
#define TERSOR_SERVER_METRICS_METRICS_ENDPOINT_H_

#include <memory>
#include <string>

#include "core/base/status.h"
#include "server/metrics/server_metrics.h"

namespace prometheus {
class Exposer;
}

namespace tersor {

// Serves until destroyed. `metrics` outlives it.
class MetricsEndpoint {
 public:
  // `address` is HOST:PORT; port 0 takes a free one. UNAVAILABLE when the port is in use.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(const std::string& address, ServerMetrics& metrics);
  ~MetricsEndpoint();

  // HOST:PORT with the port that was taken.
  const std::string& address() const { return address_; }

 private:
  MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer, std::string address);

  std::unique_ptr<prometheus::Exposer> exposer_;
  const std::string address_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_METRICS_METRICS_ENDPOINT_H_
