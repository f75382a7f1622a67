// What server and worker say to each other at most.
#ifndef TERSOR_SERVER_BASE_MESSAGE_LIMITS_H_
#define TERSOR_SERVER_BASE_MESSAGE_LIMITS_H_

#include <cstddef>

namespace tersor {

// Bytes of a worker's message. Reports carry a line for every layer and window.
inline constexpr size_t kMaxWorkerMessageBytes = size_t{64} << 20;

}  // namespace tersor

#endif  // TERSOR_SERVER_BASE_MESSAGE_LIMITS_H_
