// The one place where a Status of ours becomes the answer of an RPC.
#ifndef TERSOR_SERVER_RPC_GRPC_STATUS_H_
#define TERSOR_SERVER_RPC_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <utility>

#include "core/base/status.h"

namespace tersor {

// Code, message and, for an error, a google.rpc.Status in the details that holds every payload (error_details.h). An
// error without a reason gets the name of its code as ErrorInfo reason. All of it travels in HTTP/2 trailers, of which
// peers commonly accept 8 KiB: the message is cut at 1 KiB, and field violations that do not fit are replaced by a last
// one that says how many there are.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Puts the value into `response` or gives the error.
template <typename T, typename U>
grpc::Status Answer(absl::StatusOr<T> result, U* response) {
  if (!result.ok()) return ToGrpcStatus(result.status());
  *response = *std::move(result);
  return grpc::Status::OK;
}

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_GRPC_STATUS_H_
