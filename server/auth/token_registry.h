// The API tokens of a server: made, shown, revoked, recognized.
#ifndef TERSOR_SERVER_AUTH_TOKEN_REGISTRY_H_
#define TERSOR_SERVER_AUTH_TOKEN_REGISTRY_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "server/auth/token_store.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"

namespace tersor {

struct NewToken {
  TokenRecord record;
  // Shown once.
  std::string secret;
};

// Thread-safe. Keeps a copy of the store's tokens, so that recognizing one reads no disk: it is the only one that
// changes them. `store` and `clock` outlive it.
class TokenRegistry {
 public:
  static absl::StatusOr<std::unique_ptr<TokenRegistry>> Load(TokenStore& store, const Clock& clock);

  // A field error for a name that is empty, too long or has control characters, for no scope or for a negative
  // lifetime.
  absl::StatusOr<NewToken> Create(const v1::CreateTokenRequest& request);
  std::vector<TokenRecord> List();
  absl::Status Revoke(absl::string_view id);
  // The name of the token of this id; empty for an unknown one.
  std::string NameOf(absl::string_view id);
  // Whether a token that has not expired has this scope.
  bool HasValid(v1::TokenScope scope);

  // The token whose secret this is, whose use is noted. UNAUTHENTICATED: not a token, unknown or revoked, expired; the
  // message begins with a stable name in capitals. Compares in constant time.
  absl::StatusOr<TokenRecord> Recognize(absl::string_view secret);
  // Stores the uses that were noted since the last call, each token's at most once a minute.
  absl::Status StoreUses();

 private:
  TokenRegistry(TokenStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  TokenStore& store_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, TokenRecord, std::less<>> tokens_ ABSL_GUARDED_BY(mutex_);
  // Ids whose use the store does not know yet.
  std::set<std::string> used_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_TOKEN_REGISTRY_H_
