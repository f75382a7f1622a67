// Where API tokens are kept.
#ifndef TERSOR_SERVER_AUTH_TOKEN_STORE_H_
#define TERSOR_SERVER_AUTH_TOKEN_STORE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/status.h"
#include "tersor/v1/token_service.pb.h"

namespace tersor {

struct TokenRecord {
  std::string id;
  // Lower-case hexadecimal; the token itself is nowhere.
  std::string sha256;
  std::string name;
  v1::TokenScope scope = v1::TOKEN_SCOPE_UNSPECIFIED;
  absl::Time create_time;
  absl::Time expire_time = absl::InfiniteFuture();
  // InfinitePast: not used yet.
  absl::Time last_use_time = absl::InfinitePast();
};

// Thread-safe; every change is durable when the call returns.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  // ALREADY_EXISTS when the id is taken.
  virtual absl::Status InsertToken(const TokenRecord& token) = 0;
  // Oldest first.
  virtual absl::StatusOr<std::vector<TokenRecord>> ListTokens() = 0;
  // NOT_FOUND for an unknown id.
  virtual absl::Status DeleteToken(absl::string_view id) = 0;
  // Nothing for an unknown id: it may have been revoked meanwhile.
  virtual absl::Status SetTokenUse(absl::string_view id, absl::Time time) = 0;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_TOKEN_STORE_H_
