// Lets a blocking call of gRPC hear of a CancellationToken and of a deadline.
#ifndef TERSOR_CLIENT_CPP_CALL_CANCELLER_H_
#define TERSOR_CLIENT_CPP_CALL_CANCELLER_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/base/cancellation.h"
#include "grpcpp/client_context.h"

namespace tersor::client {

// While it lives, `context` is cancelled within a tenth of a second of the token (which may be null). Both outlive it.
class CallCanceller {
 public:
  CallCanceller(grpc::ClientContext& context, const CancellationToken* token);
  ~CallCanceller();
  CallCanceller(const CallCanceller&) = delete;
  CallCanceller& operator=(const CallCanceller&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_condition_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_CALL_CANCELLER_H_
