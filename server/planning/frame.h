// Messages over a stream socket: a length (4 bytes, little-endian) and the message.
#ifndef TERSOR_SERVER_PLANNING_FRAME_H_
#define TERSOR_SERVER_PLANNING_FRAME_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "google/protobuf/message_lite.h"

namespace tersor {

// A plan of a thousand points is some MiB long.
inline constexpr uint32_t kMaxFrameBytes = 64 << 20;

// UNAVAILABLE when the other side is gone, INVALID_ARGUMENT for a message that is too long.
absl::Status SendFrame(int socket, const google::protobuf::MessageLite& message);

// Waits for a whole message. `go_on` is asked every 50 ms and ends the wait with its error. UNAVAILABLE when the other
// side is gone, DATA_LOSS when it sends something else.
absl::Status ReceiveFrame(int socket, absl::FunctionRef<absl::Status()> go_on, google::protobuf::MessageLite& message);

}  // namespace tersor

#endif  // TERSOR_SERVER_PLANNING_FRAME_H_
