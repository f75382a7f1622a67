#include "server/rpc/worker_service.h"

#include "server/rpc/grpc_status.h"

namespace tersor {
namespace {

template <typename Request>
AttemptCaller CallerOf(const grpc::ServerContext& context, const Request& request) {
  AttemptCaller caller{request.job_id(), request.attempt(), ""};
  const auto token = context.client_metadata().find("tersor-attempt-token");
  if (token != context.client_metadata().end()) caller.token.assign(token->second.data(), token->second.size());
  return caller;
}

}  // namespace

grpc::Status WorkerServiceImpl::AttachAttempt(grpc::ServerContext* context, const v1::AttachAttemptRequest* request,
                                              v1::AttemptSpec* response) {
  return Answer(supervisor_.Attach(CallerOf(*context, *request), request->process_id()), response);
}

grpc::Status WorkerServiceImpl::Heartbeat(grpc::ServerContext* context, const v1::HeartbeatRequest* request,
                                          v1::HeartbeatResponse* response) {
  const absl::StatusOr<bool> stop = supervisor_.Heartbeat(CallerOf(*context, *request), request->rss_bytes());
  if (!stop.ok()) return ToGrpcStatus(stop.status());
  response->set_cancel(*stop);
  return grpc::Status::OK;
}

grpc::Status WorkerServiceImpl::PublishEvents(grpc::ServerContext* context, const v1::PublishEventsRequest* request,
                                              google::protobuf::Empty*) {
  return ToGrpcStatus(supervisor_.Publish(CallerOf(*context, *request), *request));
}

grpc::Status WorkerServiceImpl::CompleteAttempt(grpc::ServerContext* context, const v1::CompleteAttemptRequest* request,
                                                google::protobuf::Empty*) {
  return ToGrpcStatus(supervisor_.Complete(CallerOf(*context, *request), *request));
}

}  // namespace tersor
