// Ends streams whose other side neither sends nor reads.
#ifndef TERSOR_SERVER_RPC_IDLE_WATCH_H_
#define TERSOR_SERVER_RPC_IDLE_WATCH_H_

#include <grpcpp/server_context.h>

#include <cstdint>
#include <map>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"

namespace tersor {

// A stream holds a thread of the server while it waits for its client; after `limit` its call is cancelled, so that the
// wait ends. Thread-safe.
class IdleWatch {
 public:
  // `clock` outlives it.
  IdleWatch(absl::Duration limit, const Clock& clock);
  ~IdleWatch();
  IdleWatch(const IdleWatch&) = delete;
  IdleWatch& operator=(const IdleWatch&) = delete;

  // Lives around one Read or Write of the stream.
  class Wait {
   public:
    Wait(IdleWatch& watch, grpc::ServerContext& context) : watch_(watch), id_(watch.Add(context)) {}
    ~Wait() { watch_.Remove(id_); }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    IdleWatch& watch_;
    const int64_t id_;
  };

 private:
  struct Waiting {
    grpc::ServerContext* context = nullptr;
    absl::Duration until;
  };
  int64_t Add(grpc::ServerContext& context);
  void Remove(int64_t id);
  void Run();

  const absl::Duration limit_;
  const Clock& clock_;
  Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int64_t, Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_IDLE_WATCH_H_
