// One token that every long loop of core looks at.
#ifndef TERSOR_CORE_BASE_CANCELLATION_H_
#define TERSOR_CORE_BASE_CANCELLATION_H_

#include <atomic>

#include "absl/status/status.h"

namespace tersor {

// Set once, from any thread or a signal handler; read from any thread. A null pointer to it means "never cancelled".
class CancellationToken {
 public:
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

// CANCELLED once the token is set. Loops call it at least every second of work.
inline absl::Status CheckCancelled(const CancellationToken* token) {
  if (token != nullptr && token->cancelled()) return absl::CancelledError("cancelled");
  return absl::OkStatus();
}

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_CANCELLATION_H_
