// Admits the calls that compute: plans, imports, lints.
#ifndef TERSOR_SERVER_RPC_CALL_GATE_H_
#define TERSOR_SERVER_RPC_CALL_GATE_H_

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "server/base/mutex.h"

namespace tersor {

// At most `running` at once; `waiting` more wait for their turn, each with its thread. Thread-safe.
class CallGate {
 public:
  CallGate(int running, int waiting) : running_limit_(running), waiting_limit_(waiting) {}

  // Holds a place while it lives.
  class Place {
   public:
    // Waits for a place until `gone` answers true, which is asked every 50 ms.
    Place(CallGate& gate, absl::FunctionRef<bool()> gone) : gate_(gate), status_(gate.Enter(gone)) {}
    ~Place() {
      if (status_.ok()) gate_.Leave();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // RESOURCE_EXHAUSTED (TOO_MANY_CALLS) where too many wait already, CANCELLED where the caller is gone.
    const absl::Status& status() const { return status_; }

   private:
    CallGate& gate_;
    const absl::Status status_;
  };

 private:
  absl::Status Enter(absl::FunctionRef<bool()> gone);
  void Leave();

  const int running_limit_;
  const int waiting_limit_;
  Mutex mutex_;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_CALL_GATE_H_
