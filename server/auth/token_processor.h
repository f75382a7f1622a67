// Lets a call pass whose token allows it.
#ifndef TERSOR_SERVER_AUTH_TOKEN_PROCESSOR_H_
#define TERSOR_SERVER_AUTH_TOKEN_PROCESSOR_H_

#include <grpcpp/security/auth_metadata_processor.h>

#include <string>
#include <utility>

#include "server/auth/auth_refusal.h"
#include "server/auth/rate_limiter.h"
#include "server/auth/token_registry.h"

namespace tersor {

// Asked by gRPC before a handler is: UNAUTHENTICATED without a good token, PERMISSION_DENIED where its scope is too
// small, RESOURCE_EXHAUSTED where it makes too many calls. gRPC passes no details on from here, so messages begin with
// a stable name in capitals: TOKEN_MISSING, TOKEN_MALFORMED, TOKEN_UNKNOWN, TOKEN_EXPIRED, SCOPE_TOO_SMALL,
// RATE_LIMITED. It writes nothing into the auth context, which is the connection's: whose a call is, IdentityOfCall
// reads from the call's own header, which is passed on. `tokens`, `limiter`, and what `on_refusal` refers to, outlive
// it.
class TokenProcessor final : public grpc::AuthMetadataProcessor {
 public:
  TokenProcessor(TokenRegistry& tokens, RateLimiter& limiter, OnAuthRefusal on_refusal)
      : tokens_(tokens), limiter_(limiter), on_refusal_(std::move(on_refusal)) {}

  // Nothing waits for a disk.
  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata* consumed,
                       OutputMetadata* response) override;

 private:
  // The status, after `on_refusal` was told.
  grpc::Status Refuse(absl::string_view rpc, grpc::StatusCode code, const std::string& message,
                      const CallIdentity& who = {});

  TokenRegistry& tokens_;
  RateLimiter& limiter_;
  const OnAuthRefusal on_refusal_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_TOKEN_PROCESSOR_H_
