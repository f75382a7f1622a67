#include "server/auth/call_identity.h"

#include <grpc/grpc_security_constants.h>

#include <vector>

#include "absl/strings/strip.h"
#include "server/auth/api_token.h"

namespace tersor {
namespace {

std::string CertificateName(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> values = context.FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  return values.empty() ? "" : std::string(values.front().data(), values.front().size());
}

}  // namespace

CallIdentity IdentityOfCall(const grpc::ServerContextBase& context, TokenRegistry* tokens) {
  CallIdentity who{.certificate = CertificateName(*context.auth_context())};
  const auto header = context.client_metadata().find(kAuthorizationHeader);
  if (tokens == nullptr || header == context.client_metadata().end()) return who;
  absl::string_view secret(header->second.data(), header->second.size());
  if (!absl::ConsumePrefix(&secret, kBearer)) return who;
  who.token = ApiTokenId(ApiTokenSha256(secret));
  who.token_name = tokens->NameOf(who.token);
  return who;
}

}  // namespace tersor
