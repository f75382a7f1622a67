#include "client/cpp/call_canceller.h"

#include <chrono>

namespace tersor::client {

CallCanceller::CallCanceller(grpc::ClientContext& context, const CancellationToken* token) {
  if (token == nullptr) return;
  thread_ = std::thread([this, &context, token] {
    std::unique_lock lock(mutex_);
    // A signal handler may set the token, and cannot notify.
    while (!ended_condition_.wait_for(lock, std::chrono::milliseconds(50), [&] { return ended_; })) {
      if (!token->cancelled()) continue;
      context.TryCancel();
      return;
    }
  });
}

CallCanceller::~CallCanceller() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_condition_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace tersor::client
