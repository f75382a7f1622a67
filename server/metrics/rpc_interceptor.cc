#include "server/metrics/rpc_interceptor.h"

namespace tersor {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::ServerRpcInfo;

class RpcInterceptor final : public grpc::experimental::Interceptor {
 public:
  RpcInterceptor(ServerMetrics& metrics, const Clock& clock, const ServerRpcInfo& info)
      : metrics_(metrics),
        clock_(clock),
        rpc_(info.method()),
        is_stream_(info.type() != ServerRpcInfo::Type::UNARY),
        start_(clock.Monotonic()) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      metrics_.OnRpc(rpc_, methods->GetSendStatus().error_code(), clock_.Monotonic() - start_, is_stream_);
    }
    methods->Proceed();
  }

 private:
  ServerMetrics& metrics_;
  const Clock& clock_;
  const std::string rpc_;
  const bool is_stream_;
  const absl::Duration start_;
};

}  // namespace

grpc::experimental::Interceptor* RpcInterceptorFactory::CreateServerInterceptor(ServerRpcInfo* info) {
  return new RpcInterceptor(metrics_, clock_, *info);
}

}  // namespace tersor
