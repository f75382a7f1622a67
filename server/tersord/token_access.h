// What a server started with --tokens has beside the others.
#ifndef TERSOR_SERVER_TERSORD_TOKEN_ACCESS_H_
#define TERSOR_SERVER_TERSORD_TOKEN_ACCESS_H_

#include <memory>

#include "server/auth/sqlite_token_store.h"
#include "server/auth/token_registry.h"
#include "server/rpc/token_service.h"
#include "server/store/data_folder.h"

namespace tersor {

// `database` and `clock` outlive it. Open before other threads look at it.
class TokenAccess {
 public:
  TokenAccess(GuardedDatabase& database, const Clock& clock) : store_(database), clock_(clock) {}
  ~TokenAccess() { StoreUses(); }

  // Reads the tokens. Where none of scope ADMIN is valid, makes one that is for a day and writes it to the folder's
  // admin_token_file, for its owner alone: who can read that file could read the database too.
  absl::Status Open(const DataFolder& folder);
  // Null before Open.
  TokenRegistry* registry() { return registry_.get(); }
  TokenServiceImpl* service() { return service_.get(); }
  // Brings the last uses of tokens into the store.
  void StoreUses();

 private:
  absl::Status MakeFirstToken(const DataFolder& folder);

  SqliteTokenStore store_;
  const Clock& clock_;
  std::unique_ptr<TokenRegistry> registry_;
  std::unique_ptr<TokenServiceImpl> service_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_TOKEN_ACCESS_H_
