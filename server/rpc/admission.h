// How many calls of each class the server takes at once. Calls that only look something up are bounded by its threads.
#ifndef TERSOR_SERVER_RPC_ADMISSION_H_
#define TERSOR_SERVER_RPC_ADMISSION_H_

#include <grpcpp/server_context.h>

#include "server/engine/planner.h"
#include "server/rpc/call_gate.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/idle_watch.h"
#include "server/rpc/stream_limit.h"

namespace tersor {

// Thread-safe.
struct Admission {
  // Streams: watches, uploads, downloads, logs.
  StreamLimit streams;
  // Calls that compute: plans, imports, lints, garbage collections.
  CallGate computing;
  // Where a stream waits for its client.
  IdleWatch idle;
};

// Answers a call that computes: waits for its turn, then `work` is given the question whether the caller is gone (or
// its deadline is past).
template <typename Response, typename Work>
grpc::Status AnswerComputed(Admission& admission, const grpc::ServerContext& context, Response* response, Work work) {
  const auto gone = [&context] { return context.IsCancelled(); };
  const CallGate::Place place(admission.computing, gone);
  if (!place.status().ok()) return ToGrpcStatus(place.status());
  return Answer(work(CallerGone(gone)), response);
}

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_ADMISSION_H_
