#include "server/auth/token_registry.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/auth/api_token.h"
#include "server/base/error_details.h"
#include "server/base/random_token.h"

namespace tersor {
namespace {

constexpr size_t kMaxNameBytes = 100;
constexpr absl::Duration kLongestLifetime = absl::Hours(24 * 3660);
// What "last use" is exact to.
constexpr absl::Duration kUseStep = absl::Minutes(1);

absl::Status CheckRequest(const v1::CreateTokenRequest& request) {
  if (request.name().empty() || request.name().size() > kMaxNameBytes ||
      std::any_of(request.name().begin(), request.name().end(), absl::ascii_iscntrl)) {
    return FieldError("name", absl::StrCat("must be one line of 1 to ", kMaxNameBytes, " bytes"));
  }
  if (request.scope() < v1::TOKEN_SCOPE_READ || request.scope() > v1::TOKEN_SCOPE_ADMIN) {
    return FieldError("scope", "must be READ, SUBMIT or ADMIN");
  }
  if (request.lifetime_seconds() < 0 || absl::Seconds(request.lifetime_seconds()) > kLongestLifetime) {
    return FieldError("lifetime_seconds", "must be 0 (never expires) to ten years");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<TokenRegistry>> TokenRegistry::Load(TokenStore& store, const Clock& clock) {
  std::unique_ptr<TokenRegistry> registry(new TokenRegistry(store, clock));
  TERSOR_ASSIGN_OR_RETURN(std::vector<TokenRecord> tokens, store.ListTokens());
  const MutexLock lock(registry->mutex_);
  for (TokenRecord& token : tokens) {
    std::string id = token.id;
    registry->tokens_.emplace(std::move(id), std::move(token));
  }
  return registry;
}

absl::StatusOr<NewToken> TokenRegistry::Create(const v1::CreateTokenRequest& request) {
  TERSOR_RETURN_IF_ERROR(CheckRequest(request));
  NewToken created;
  created.secret = NewApiToken();
  TokenRecord& record = created.record;
  record.sha256 = ApiTokenSha256(created.secret);
  record.id = ApiTokenId(record.sha256);
  record.name = request.name();
  record.scope = request.scope();
  record.create_time = clock_.Now();
  if (request.lifetime_seconds() > 0) record.expire_time = clock_.Now() + absl::Seconds(request.lifetime_seconds());
  const MutexLock lock(mutex_);
  TERSOR_RETURN_IF_ERROR(store_.InsertToken(record));
  tokens_.emplace(record.id, record);
  return created;
}

std::vector<TokenRecord> TokenRegistry::List() {
  const MutexLock lock(mutex_);
  std::vector<TokenRecord> tokens;
  for (const auto& [id, token] : tokens_) tokens.push_back(token);
  std::sort(tokens.begin(), tokens.end(), [](const TokenRecord& a, const TokenRecord& b) {
    return std::tie(a.create_time, a.id) < std::tie(b.create_time, b.id);
  });
  return tokens;
}

absl::Status TokenRegistry::Revoke(absl::string_view id) {
  const MutexLock lock(mutex_);
  TERSOR_RETURN_IF_ERROR(store_.DeleteToken(id));
  tokens_.erase(std::string(id));
  used_.erase(std::string(id));
  return absl::OkStatus();
}

std::string TokenRegistry::NameOf(absl::string_view id) {
  const MutexLock lock(mutex_);
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? "" : found->second.name;
}

bool TokenRegistry::HasValid(v1::TokenScope scope) {
  const MutexLock lock(mutex_);
  const absl::Time now = clock_.Now();
  return std::any_of(tokens_.begin(), tokens_.end(),
                     [&](const auto& entry) { return entry.second.scope == scope && entry.second.expire_time > now; });
}

absl::StatusOr<TokenRecord> TokenRegistry::Recognize(absl::string_view secret) {
  if (!IsApiToken(secret)) {
    return absl::UnauthenticatedError("TOKEN_MALFORMED: this is no API token, or it was cut off or mistyped");
  }
  const std::string sha256 = ApiTokenSha256(secret);
  const MutexLock lock(mutex_);
  // Looked up by a part of the hash, from whose time nothing can be learnt of a secret.
  const auto found = tokens_.find(ApiTokenId(sha256));
  if (found == tokens_.end() || !ConstantTimeEqual(found->second.sha256, sha256)) {
    return absl::UnauthenticatedError("TOKEN_UNKNOWN: this API token is unknown or was revoked");
  }
  TokenRecord& token = found->second;
  const absl::Time now = clock_.Now();
  if (token.expire_time <= now) {
    return absl::UnauthenticatedError(absl::StrCat("TOKEN_EXPIRED: the API token \"", token.name, "\" has expired"));
  }
  if (now - token.last_use_time >= kUseStep) {
    token.last_use_time = now;
    used_.insert(token.id);
  }
  return token;
}

absl::Status TokenRegistry::StoreUses() {
  std::vector<std::pair<std::string, absl::Time>> uses;
  {
    const MutexLock lock(mutex_);
    for (const std::string& id : used_) uses.emplace_back(id, tokens_.at(id).last_use_time);
    used_.clear();
  }
  for (const auto& [id, time] : uses) TERSOR_RETURN_IF_ERROR(store_.SetTokenUse(id, time));
  return absl::OkStatus();
}

}  // namespace tersor
