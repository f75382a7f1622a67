// The process that reads models for tersord.
#ifndef TERSOR_SERVER_PLANNING_SERVE_PLANNER_H_
#define TERSOR_SERVER_PLANNING_SERVE_PLANNER_H_

#include <cstdint>

namespace tersor {

// Answers the requests that come by `socket` (see planner.proto) until the other side closes it, with at most
// `memory_bytes` of memory (0: no limit). Ends with the process that started it. Returns the exit code.
int ServePlanner(int socket, int64_t memory_bytes);

}  // namespace tersor

#endif  // TERSOR_SERVER_PLANNING_SERVE_PLANNER_H_
