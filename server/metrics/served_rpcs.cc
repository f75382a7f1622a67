#include "server/metrics/served_rpcs.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "grpc/health/v1/health.pb.h"
#include "tersor/v1/artifact_service.pb.h"
#include "tersor/v1/job_service.pb.h"
#include "tersor/v1/model_service.pb.h"
#include "tersor/v1/report_service.pb.h"
#include "tersor/v1/token_service.pb.h"
#include "tersor/v1/worker_service.pb.h"

namespace tersor {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

void AppendMethods(const ServiceDescriptor& service, std::vector<ServedRpc>& rpcs) {
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& method = *service.method(i);
    rpcs.push_back({RpcLabel(absl::StrCat("/", service.full_name(), "/", method.name())),
                    method.client_streaming() || method.server_streaming()});
  }
}

}  // namespace

std::vector<ServedRpc> ServedRpcs() {
  std::vector<ServedRpc> rpcs;
  for (const google::protobuf::FileDescriptor* file :
       {v1::SubmitJobRequest::descriptor()->file(), v1::GetModelRequest::descriptor()->file(),
        v1::ListArtifactsRequest::descriptor()->file(), v1::GetReportRequest::descriptor()->file(),
        v1::HeartbeatRequest::descriptor()->file(), v1::CreateTokenRequest::descriptor()->file(),
        grpc::health::v1::HealthCheckRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) AppendMethods(*file->service(i), rpcs);
  }
  return rpcs;
}

std::string RpcLabel(absl::string_view rpc) {
  if (!absl::ConsumePrefix(&rpc, "/tersor.v1.")) absl::ConsumePrefix(&rpc, "/");
  return std::string(rpc);
}

}  // namespace tersor
