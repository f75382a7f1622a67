// Counts and times every RPC without a line in the handlers.
#ifndef TERSOR_SERVER_METRICS_RPC_INTERCEPTOR_H_
#define TERSOR_SERVER_METRICS_RPC_INTERCEPTOR_H_

#include <grpcpp/support/server_interceptor.h>

#include "server/base/clock.h"
#include "server/metrics/server_metrics.h"

namespace tersor {

// `metrics` and `clock` outlive it.
class RpcInterceptorFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  RpcInterceptorFactory(ServerMetrics& metrics, const Clock& clock) : metrics_(metrics), clock_(clock) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override;

 private:
  ServerMetrics& metrics_;
  const Clock& clock_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_METRICS_RPC_INTERCEPTOR_H_
