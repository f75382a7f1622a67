// The RPCs that the server answers, as metrics name them.
#ifndef TERSOR_SERVER_METRICS_SERVED_RPCS_H_
#define TERSOR_SERVER_METRICS_SERVED_RPCS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor {

struct ServedRpc {
  // "JobService/GetJob".
  std::string label;
  bool is_stream = false;
};

// Every method of every service of ours and of the health service, from their descriptors.
std::vector<ServedRpc> ServedRpcs();

// The label of an RPC as gRPC names it: "/tersor.v1.JobService/GetJob" is "JobService/GetJob".
std::string RpcLabel(absl::string_view rpc);

}  // namespace tersor

#endif  // TERSOR_SERVER_METRICS_SERVED_RPCS_H_
