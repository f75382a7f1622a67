// Who makes a call, as its token and its connection's certificate say.
#ifndef TERSOR_SERVER_AUTH_CALL_IDENTITY_H_
#define TERSOR_SERVER_AUTH_CALL_IDENTITY_H_

#include <grpcpp/server_context.h>

#include <string>

#include "server/auth/token_registry.h"

namespace tersor {

// Where a call shows its token: "authorization: Bearer tsr_...".
inline constexpr char kAuthorizationHeader[] = "authorization";
inline constexpr char kBearer[] = "Bearer ";

// Each empty where there is none.
struct CallIdentity {
  // The token's id and name.
  std::string token = {};
  std::string token_name = {};
  // The common name of the client's certificate, which was verified.
  std::string certificate = {};
};

// Of a call that TokenProcessor let pass. `tokens` is null where no tokens are asked for: then none is named. Nothing
// is read of the connection but its certificate, as calls of several tokens share one.
CallIdentity IdentityOfCall(const grpc::ServerContextBase& context, TokenRegistry* tokens);

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_CALL_IDENTITY_H_
