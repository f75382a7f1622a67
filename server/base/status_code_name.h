// Names of gRPC's status codes, which absl's are too.
#ifndef TERSOR_SERVER_BASE_STATUS_CODE_NAME_H_
#define TERSOR_SERVER_BASE_STATUS_CODE_NAME_H_

#include <string>

namespace tersor {

// "OK", "NOT_FOUND", ...; "UNKNOWN" for a number that is no code.
std::string StatusCodeName(int code);

}  // namespace tersor

#endif  // TERSOR_SERVER_BASE_STATUS_CODE_NAME_H_
