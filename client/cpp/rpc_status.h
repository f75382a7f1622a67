// gRPC's errors as absl::Status, with what the server put into their details.
#ifndef TERSOR_CLIENT_CPP_RPC_STATUS_H_
#define TERSOR_CLIENT_CPP_RPC_STATUS_H_

#include <string>
#include <vector>

#include "core/base/status.h"
#include "grpcpp/support/status.h"

namespace tersor::client {

// One google.rpc.BadRequest.FieldViolation.
struct FieldFault {
  std::string field;
  std::string description;
};

// The same code and message; the google.rpc details become payloads under their type URLs.
absl::Status FromGrpc(const grpc::Status& status);

// The field violations that `status` carries; empty where there are none.
std::vector<FieldFault> FieldFaults(const absl::Status& status);

// The stable reason of a google.rpc.ErrorInfo, "" where there is none.
std::string ErrorReason(const absl::Status& status);

// Whether the same call may go through a moment later: the connection broke or the server is restarting.
bool IsTransient(const absl::Status& status);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_RPC_STATUS_H_
