// Bounds the streams that hold a thread of the server each.
#ifndef TERSOR_SERVER_RPC_STREAM_LIMIT_H_
#define TERSOR_SERVER_RPC_STREAM_LIMIT_H_

#include <atomic>

#include "core/base/status.h"
#include "server/base/error_details.h"

namespace tersor {

// Thread-safe.
class StreamLimit {
 public:
  explicit StreamLimit(int limit) : limit_(limit) {}

  // Holds a place while it lives.
  class Place {
   public:
    explicit Place(StreamLimit& limit) : limit_(limit), taken_(limit.count_.fetch_add(1) < limit.limit_) {}
    ~Place() { limit_.count_.fetch_sub(1); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // RESOURCE_EXHAUSTED when there was none left.
    absl::Status status() const {
      if (taken_) return absl::OkStatus();
      return WithReason(absl::ResourceExhaustedError("too many streams are open on this server: try again later"),
                        "TOO_MANY_STREAMS");
    }

   private:
    StreamLimit& limit_;
    const bool taken_;
  };

 private:
  const int limit_;
  std::atomic<int> count_{0};
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_STREAM_LIMIT_H_
