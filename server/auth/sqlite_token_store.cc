#include "server/auth/sqlite_token_store.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// 0 stands for never.
int64_t Millis(absl::Time time) {
  return time == absl::InfiniteFuture() || time == absl::InfinitePast() ? 0 : absl::ToUnixMillis(time);
}

absl::Time TimeOr(int64_t millis, absl::Time never) { return millis == 0 ? never : absl::FromUnixMillis(millis); }

}  // namespace

absl::Status SqliteTokenStore::InsertToken(const TokenRecord& token) {
  const MutexLock lock(database_.mutex);
  return database_.sql->Run("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
                            {token.id, token.sha256, token.name, int64_t{token.scope}, Millis(token.create_time),
                             Millis(token.expire_time), Millis(token.last_use_time)});
}

absl::StatusOr<std::vector<TokenRecord>> SqliteTokenStore::ListTokens() {
  const MutexLock lock(database_.mutex);
  std::vector<TokenRecord> tokens;
  TERSOR_RETURN_IF_ERROR(database_.sql->Query(
      "SELECT id, sha256, name, scope, create_ms, expire_ms, last_use_ms FROM tokens ORDER BY create_ms, id", {},
      [&](const SqlRow& row) {
        tokens.push_back({.id = row.Bytes(0),
                          .sha256 = row.Bytes(1),
                          .name = row.Bytes(2),
                          .scope = static_cast<v1::TokenScope>(row.Int(3)),
                          .create_time = absl::FromUnixMillis(row.Int(4)),
                          .expire_time = TimeOr(row.Int(5), absl::InfiniteFuture()),
                          .last_use_time = TimeOr(row.Int(6), absl::InfinitePast())});
        return absl::OkStatus();
      }));
  return tokens;
}

absl::Status SqliteTokenStore::DeleteToken(absl::string_view id) {
  const MutexLock lock(database_.mutex);
  TERSOR_RETURN_IF_ERROR(database_.sql->Run("DELETE FROM tokens WHERE id = ?", {std::string(id)}));
  if (database_.sql->Changes() == 0) return absl::NotFoundError(absl::StrCat("no token with id \"", id, "\""));
  return absl::OkStatus();
}

absl::Status SqliteTokenStore::SetTokenUse(absl::string_view id, absl::Time time) {
  const MutexLock lock(database_.mutex);
  return database_.sql->Run("UPDATE tokens SET last_use_ms = ? WHERE id = ?", {Millis(time), std::string(id)});
}

}  // namespace tersor
