// A channel to one tersord.
#ifndef TERSOR_CLIENT_CPP_CONNECTION_H_
#define TERSOR_CLIENT_CPP_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/channel_security.h"
#include "core/base/status.h"
#include "grpcpp/channel.h"

namespace tersor::client {

inline constexpr absl::string_view kDefaultServer = "127.0.0.1:7433";

// `flag` where it is not empty, else the environment variable TERSOR_SERVER, else 127.0.0.1:7433.
std::string ServerAddress(absl::string_view flag);

// How long calls may take before they end with DEADLINE_EXCEEDED.
struct CallTimeouts {
  // Calls that look something up.
  absl::Duration lookup = absl::Seconds(30);
  // Calls that make the server read a model: plan, hash, import.
  absl::Duration planning = absl::Minutes(10);
};

// Thread-safe, cheap to copy. Opening does not yet connect: the first call does, and answers UNAVAILABLE where nobody
// listens.
class Connection {
 public:
  // `address` as ParseServerAddress reads it. INVALID_ARGUMENT where it is none, and as MakeCredentials says.
  static absl::StatusOr<Connection> Open(absl::string_view address, const CallTimeouts& timeouts = {},
                                         const ChannelSecurity& security = {});

  const std::string& address() const { return address_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const CallTimeouts& timeouts() const { return timeouts_; }

 private:
  Connection(std::string address, std::shared_ptr<grpc::Channel> channel, const CallTimeouts& timeouts)
      : address_(std::move(address)), channel_(std::move(channel)), timeouts_(timeouts) {}

  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  CallTimeouts timeouts_;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_CONNECTION_H_
