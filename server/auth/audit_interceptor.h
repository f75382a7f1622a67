// Writes an audit entry of every call that changes something, without a line in the handlers.
#ifndef TERSOR_SERVER_AUTH_AUDIT_INTERCEPTOR_H_
#define TERSOR_SERVER_AUTH_AUDIT_INTERCEPTOR_H_

#include <grpcpp/support/server_interceptor.h>

#include <string>

#include "google/protobuf/message.h"
#include "server/auth/audit_log.h"
#include "server/auth/token_registry.h"
#include "server/base/clock.h"

namespace tersor {

// `log`, `tokens` (null where no tokens are asked for) and `clock` outlive it. Calls that only look (scope READ) are
// left out.
class AuditInterceptorFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  AuditInterceptorFactory(AuditLog& log, TokenRegistry* tokens, const Clock& clock)
      : log_(log), tokens_(tokens), clock_(clock) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override;

 private:
  AuditLog& log_;
  TokenRegistry* const tokens_;
  const Clock& clock_;
};

// What a request or an answer is about: its id, job_id, upload_id, name or path, also of the message that it begins
// with; empty where it has none.
std::string AuditTarget(const google::protobuf::Message& message);

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_AUDIT_INTERCEPTOR_H_
