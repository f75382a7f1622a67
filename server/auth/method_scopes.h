// What each RPC asks of its caller.
#ifndef TERSOR_SERVER_AUTH_METHOD_SCOPES_H_
#define TERSOR_SERVER_AUTH_METHOD_SCOPES_H_

#include "absl/strings/string_view.h"
#include "tersor/v1/token_service.pb.h"

namespace tersor {

// `rpc` as gRPC names it, "/tersor.v1.JobService/GetJob". UNSPECIFIED: open to all, which health alone is, as probes
// carry no token. An RPC that is not listed asks for ADMIN.
v1::TokenScope ScopeOfRpc(absl::string_view rpc);

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_METHOD_SCOPES_H_
