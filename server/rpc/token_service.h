// TokenService over the registry of tokens.
#ifndef TERSOR_SERVER_RPC_TOKEN_SERVICE_H_
#define TERSOR_SERVER_RPC_TOKEN_SERVICE_H_

#include "server/auth/token_registry.h"
#include "tersor/v1/token_service.grpc.pb.h"

namespace tersor {

// `tokens` outlives it.
class TokenServiceImpl final : public v1::TokenService::Service {
 public:
  explicit TokenServiceImpl(TokenRegistry& tokens) : tokens_(tokens) {}

  grpc::Status CreateToken(grpc::ServerContext* context, const v1::CreateTokenRequest* request,
                           v1::CreateTokenResponse* response) override;
  grpc::Status ListTokens(grpc::ServerContext* context, const v1::ListTokensRequest* request,
                          v1::ListTokensResponse* response) override;
  grpc::Status RevokeToken(grpc::ServerContext* context, const v1::RevokeTokenRequest* request,
                           google::protobuf::Empty* response) override;

 private:
  TokenRegistry& tokens_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_TOKEN_SERVICE_H_
