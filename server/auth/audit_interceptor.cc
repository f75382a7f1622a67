#include "server/auth/audit_interceptor.h"

#include <grpcpp/server_context.h>

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "server/auth/method_scopes.h"
#include "server/base/status_code_name.h"
#include "server/base/valid_text.h"

namespace tersor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::ServerRpcInfo;

constexpr absl::string_view kServicePrefix = "/tersor.v1.";
constexpr size_t kMaxTargetBytes = 200;

class AuditInterceptor final : public grpc::experimental::Interceptor {
 public:
  AuditInterceptor(AuditLog& log, TokenRegistry* tokens, const Clock& clock, ServerRpcInfo& info)
      : log_(log), tokens_(tokens), clock_(clock), info_(info) {}

  // The messages are those of our own generated services, as only they come here.
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    // Before a handler can revoke the very token.
    if (!who_.has_value()) who_ = IdentityOfCall(*info_.server_context(), tokens_);
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE)) {
      Note(static_cast<const Message*>(methods->GetRecvMessage()));
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_MESSAGE)) {
      Note(static_cast<const Message*>(methods->GetSendMessage()));
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      Write(methods->GetSendStatus().error_code());
    }
    methods->Proceed();
  }

 private:
  void Note(const Message* message) {
    if (message != nullptr && target_.empty()) target_ = AuditTarget(*message);
  }

  void Write(int code) {
    log_.Append({.time = clock_.Now(),
                 .who = who_.value_or(CallIdentity()),
                 .peer = info_.server_context()->peer(),
                 .rpc = std::string(absl::StripPrefix(info_.method(), kServicePrefix)),
                 .target = target_,
                 .code = StatusCodeName(code),
                 .reason = ""});
  }

  AuditLog& log_;
  TokenRegistry* const tokens_;
  const Clock& clock_;
  ServerRpcInfo& info_;
  std::optional<CallIdentity> who_;
  std::string target_;
};

}  // namespace

std::string AuditTarget(const Message& message) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (const char* name : {"id", "job_id", "upload_id", "name", "path"}) {
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field == nullptr || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
    const std::string value = message.GetReflection()->GetString(message, field);
    if (!value.empty()) return ToValidText(value, kMaxTargetBytes);
  }
  if (type.field_count() == 0) return "";
  const FieldDescriptor* first = type.field(0);
  const bool is_set = !first->is_repeated() && first->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                      message.GetReflection()->HasField(message, first);
  return is_set ? AuditTarget(message.GetReflection()->GetMessage(message, first)) : "";
}

grpc::experimental::Interceptor* AuditInterceptorFactory::CreateServerInterceptor(ServerRpcInfo* info) {
  const absl::string_view rpc = info->method();
  if (!absl::StartsWith(rpc, kServicePrefix) || ScopeOfRpc(rpc) <= v1::TOKEN_SCOPE_READ) return nullptr;
  return new AuditInterceptor(log_, tokens_, clock_, *info);
}

}  // namespace tersor
