// Who makes a call, as the connection's authentication found it.
#ifndef TERSOR_SERVER_AUTH_CALL_IDENTITY_H_
#define TERSOR_SERVER_AUTH_CALL_IDENTITY_H_

#include <grpcpp/security/auth_context.h>

#include <string>

namespace tersor {

// The properties of a call's AuthContext that name its token.
inline constexpr char kTokenProperty[] = "tersor_token";
inline constexpr char kTokenNameProperty[] = "tersor_token_name";

// Each empty where there is none.
struct CallIdentity {
  // The token's id and name.
  std::string token = {};
  std::string token_name = {};
  // The common name of the client's certificate, which was verified.
  std::string certificate = {};
};

CallIdentity IdentityOfCall(const grpc::AuthContext& context);

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_CALL_IDENTITY_H_
