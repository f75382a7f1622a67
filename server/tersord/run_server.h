// The life of the program tersord.
#ifndef TERSOR_SERVER_TERSORD_RUN_SERVER_H_
#define TERSOR_SERVER_TERSORD_RUN_SERVER_H_

#include "server/engine/planner.h"

namespace tersor {

// Parses the command line, serves until a signal, and returns the exit code: 0 stopped by a signal, 1 could not start,
// 2 wrong usage. Call from main, before any thread was started.
int RunServer(int argc, char** argv, Planner& planner);

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_RUN_SERVER_H_
