#include "client/cpp/token_client.h"

#include <string>

#include "client/cpp/unary_call.h"
#include "tersor/v1/token_service.grpc.pb.h"

namespace tersor::client {

absl::StatusOr<v1::CreateTokenResponse> CreateToken(const Connection& connection,
                                                    const v1::CreateTokenRequest& request) {
  const std::unique_ptr<v1::TokenService::Stub> stub = v1::TokenService::NewStub(connection.channel());
  return UnaryCall<v1::CreateTokenResponse>(
      connection, connection.timeouts().lookup,
      [&](auto* context, auto* response) { return stub->CreateToken(context, request, response); });
}

absl::StatusOr<v1::ListTokensResponse> ListTokens(const Connection& connection) {
  const std::unique_ptr<v1::TokenService::Stub> stub = v1::TokenService::NewStub(connection.channel());
  return UnaryCall<v1::ListTokensResponse>(
      connection, connection.timeouts().lookup,
      [&](auto* context, auto* response) { return stub->ListTokens(context, v1::ListTokensRequest(), response); });
}

absl::Status RevokeToken(const Connection& connection, absl::string_view id) {
  const std::unique_ptr<v1::TokenService::Stub> stub = v1::TokenService::NewStub(connection.channel());
  v1::RevokeTokenRequest request;
  request.set_id(std::string(id));
  return UnaryCall<google::protobuf::Empty>(
             connection, connection.timeouts().lookup,
             [&](auto* context, auto* response) { return stub->RevokeToken(context, request, response); })
      .status();
}

}  // namespace tersor::client
