#include "server/auth/call_identity.h"

#include <grpc/grpc_security_constants.h>

#include <vector>

namespace tersor {
namespace {

// The last value: a property that a client's certificate brought along comes before those of the token's check.
std::string Property(const grpc::AuthContext& context, const char* name) {
  const std::vector<grpc::string_ref> values = context.FindPropertyValues(name);
  return values.empty() ? "" : std::string(values.back().data(), values.back().size());
}

}  // namespace

CallIdentity IdentityOfCall(const grpc::AuthContext& context) {
  return {.token = Property(context, kTokenProperty),
          .token_name = Property(context, kTokenNameProperty),
          .certificate = Property(context, GRPC_X509_CN_PROPERTY_NAME)};
}

}  // namespace tersor
