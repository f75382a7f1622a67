// TokenService as plain functions. PERMISSION_DENIED without a token of an administrator, UNIMPLEMENTED where the
// server asks for no tokens.
#ifndef TERSOR_CLIENT_CPP_TOKEN_CLIENT_H_
#define TERSOR_CLIENT_CPP_TOKEN_CLIENT_H_

#include "absl/strings/string_view.h"
#include "client/cpp/connection.h"
#include "core/base/status.h"
#include "tersor/v1/token_service.pb.h"

namespace tersor::client {

absl::StatusOr<v1::CreateTokenResponse> CreateToken(const Connection& connection,
                                                    const v1::CreateTokenRequest& request);
absl::StatusOr<v1::ListTokensResponse> ListTokens(const Connection& connection);
absl::Status RevokeToken(const Connection& connection, absl::string_view id);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_TOKEN_CLIENT_H_
