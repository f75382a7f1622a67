#include "server/metrics/metrics_endpoint.h"

#include <prometheus/exposer.h>

#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace tersor {

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer, std::string address)
    : exposer_(std::move(exposer)), address_(std::move(address)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const std::string& address,
                                                                        ServerMetrics& metrics) {
  // prometheus-cpp throws when it cannot listen.
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(address, /*num_threads=*/2);
    exposer->RegisterCollectable(metrics.registry());
    const std::vector<int> ports = exposer->GetListeningPorts();
    if (ports.empty()) return absl::UnavailableError(absl::StrCat("metrics: cannot listen on ", address));
    const std::string host = address.substr(0, address.rfind(':'));
    return std::unique_ptr<MetricsEndpoint>(
        new MetricsEndpoint(std::move(exposer), absl::StrCat(host, ":", ports.front())));
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("metrics: cannot listen on ", address,
                                               ": the port is in use or not allowed; choose another with ",
                                               "--metrics-listen (0 takes a free one)"));
  }
}

}  // namespace tersor
