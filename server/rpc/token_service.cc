#include "server/rpc/token_service.h"

#include "server/base/timestamp.h"
#include "server/rpc/grpc_status.h"

namespace tersor {
namespace {

v1::Token ToMessage(const TokenRecord& record) {
  v1::Token token;
  token.set_id(record.id);
  token.set_name(record.name);
  token.set_scope(record.scope);
  *token.mutable_create_time() = ToTimestamp(record.create_time);
  if (record.expire_time != absl::InfiniteFuture()) *token.mutable_expire_time() = ToTimestamp(record.expire_time);
  if (record.last_use_time != absl::InfinitePast()) *token.mutable_last_use_time() = ToTimestamp(record.last_use_time);
  return token;
}

}  // namespace

grpc::Status TokenServiceImpl::CreateToken(grpc::ServerContext*, const v1::CreateTokenRequest* request,
                                           v1::CreateTokenResponse* response) {
  const absl::StatusOr<NewToken> created = tokens_.Create(*request);
  if (!created.ok()) return ToGrpcStatus(created.status());
  *response->mutable_token() = ToMessage(created->record);
  response->set_secret(created->secret);
  return grpc::Status::OK;
}

grpc::Status TokenServiceImpl::ListTokens(grpc::ServerContext*, const v1::ListTokensRequest*,
                                          v1::ListTokensResponse* response) {
  for (const TokenRecord& record : tokens_.List()) *response->add_tokens() = ToMessage(record);
  return grpc::Status::OK;
}

grpc::Status TokenServiceImpl::RevokeToken(grpc::ServerContext*, const v1::RevokeTokenRequest* request,
                                           google::protobuf::Empty*) {
  return ToGrpcStatus(tokens_.Revoke(request->id()));
}

}  // namespace tersor
