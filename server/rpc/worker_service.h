// WorkerService: what workers say and ask.
#ifndef TERSOR_SERVER_RPC_WORKER_SERVICE_H_
#define TERSOR_SERVER_RPC_WORKER_SERVICE_H_

#include "server/engine/supervisor.h"
#include "tersor/v1/worker_service.grpc.pb.h"

namespace tersor {

// Thread-safe. `supervisor` outlives it.
class WorkerServiceImpl final : public v1::WorkerService::Service {
 public:
  explicit WorkerServiceImpl(Supervisor& supervisor) : supervisor_(supervisor) {}

  grpc::Status AttachAttempt(grpc::ServerContext* context, const v1::AttachAttemptRequest* request,
                             v1::AttemptSpec* response) override;
  grpc::Status Heartbeat(grpc::ServerContext* context, const v1::HeartbeatRequest* request,
                         v1::HeartbeatResponse* response) override;
  grpc::Status PublishEvents(grpc::ServerContext* context, const v1::PublishEventsRequest* request,
                             google::protobuf::Empty* response) override;
  grpc::Status CompleteAttempt(grpc::ServerContext* context, const v1::CompleteAttemptRequest* request,
                               google::protobuf::Empty* response) override;

 private:
  Supervisor& supervisor_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_WORKER_SERVICE_H_
