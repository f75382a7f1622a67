// One request, one answer, with a deadline.
#ifndef TERSOR_CLIENT_CPP_UNARY_CALL_H_
#define TERSOR_CLIENT_CPP_UNARY_CALL_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cpp/connection.h"
#include "client/cpp/rpc_status.h"
#include "grpcpp/client_context.h"

namespace tersor::client {

// `call(&context, &response)` is the stub's method with its request bound. Errors of the connection name the address.
template <typename Response, typename Call>
absl::StatusOr<Response> UnaryCall(const Connection& connection, absl::Duration timeout, const Call& call) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  Response response;
  absl::Status status = FromGrpc(call(&context, &response));
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
    return Annotate(status, "server " + connection.address());
  }
  if (!status.ok()) return status;
  return response;
}

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_UNARY_CALL_H_
