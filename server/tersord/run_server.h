// The life of the program tersord.
#ifndef TERSOR_SERVER_TERSORD_RUN_SERVER_H_
#define TERSOR_SERVER_TERSORD_RUN_SERVER_H_

#include <vector>

#include "core/compress/method_description.h"

namespace tersor {

// Parses the command line, serves jobs of these methods until a signal, and returns the exit code: 0 stopped by a
// signal, 1 could not start, 2 wrong usage. Call from main, before any thread was started.
int RunServer(int argc, char** argv, std::vector<MethodDescription> methods);

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_RUN_SERVER_H_
