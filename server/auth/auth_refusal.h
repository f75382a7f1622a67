// A call that was refused for its token.
#ifndef TERSOR_SERVER_AUTH_AUTH_REFUSAL_H_
#define TERSOR_SERVER_AUTH_AUTH_REFUSAL_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/auth/call_identity.h"

namespace tersor {

inline constexpr absl::string_view kRateLimited = "RATE_LIMITED";
// What a refusal's message begins with.
inline constexpr absl::string_view kAuthReasons[] = {"TOKEN_MISSING", "TOKEN_MALFORMED", "TOKEN_UNKNOWN",
                                                     "TOKEN_EXPIRED", "SCOPE_TOO_SMALL", kRateLimited};

struct AuthRefusal {
  // Empty but where a good token's scope was too small or its calls too many.
  CallIdentity who;
  // As gRPC names it; any text where the caller sent nonsense.
  std::string rpc;
  // One of kAuthReasons.
  std::string reason;
  int code = 0;
};

// Called from gRPC's threads.
using OnAuthRefusal = std::function<void(const AuthRefusal&)>;

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_AUTH_REFUSAL_H_
