// The token store on SQLite.
#ifndef TERSOR_SERVER_AUTH_SQLITE_TOKEN_STORE_H_
#define TERSOR_SERVER_AUTH_SQLITE_TOKEN_STORE_H_

#include <vector>

#include "server/auth/token_store.h"
#include "server/store/guarded_database.h"

namespace tersor {

// `database` outlives it.
class SqliteTokenStore final : public TokenStore {
 public:
  explicit SqliteTokenStore(GuardedDatabase& database) : database_(database) {}

  absl::Status InsertToken(const TokenRecord& token) override;
  absl::StatusOr<std::vector<TokenRecord>> ListTokens() override;
  absl::Status DeleteToken(absl::string_view id) override;
  absl::Status SetTokenUse(absl::string_view id, absl::Time time) override;

 private:
  GuardedDatabase& database_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_SQLITE_TOKEN_STORE_H_
