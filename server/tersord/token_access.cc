#include "server/tersord/token_access.h"

#include "server/base/log.h"
#include "server/engine/attempt_token.h"

namespace tersor {
namespace {

constexpr int64_t kFirstTokenSeconds = 24 * 3600;

}  // namespace

absl::Status TokenAccess::Open(const DataFolder& folder) {
  TERSOR_ASSIGN_OR_RETURN(registry_, TokenRegistry::Load(store_, clock_));
  if (!registry_->HasValid(v1::TOKEN_SCOPE_ADMIN)) TERSOR_RETURN_IF_ERROR(MakeFirstToken(folder));
  service_ = std::make_unique<TokenServiceImpl>(*registry_);
  return absl::OkStatus();
}

absl::Status TokenAccess::MakeFirstToken(const DataFolder& folder) {
  v1::CreateTokenRequest request;
  request.set_name("first administrator");
  request.set_scope(v1::TOKEN_SCOPE_ADMIN);
  request.set_lifetime_seconds(kFirstTokenSeconds);
  TERSOR_ASSIGN_OR_RETURN(const NewToken created, registry_->Create(request));
  const absl::Status written = WriteTokenFile(folder.admin_token_file(), created.secret);
  if (!written.ok()) {
    // Nobody knows it, and as long as it was valid no start would make another.
    TERSOR_RETURN_IF_ERROR(registry_->Revoke(created.record.id));
    return written;
  }
  Log(LogLevel::kInfo, "a first API token of an administrator, valid for a day, is in the file",
      {{"path", folder.admin_token_file().string()}, {"token", created.record.id}});
  return absl::OkStatus();
}

void TokenAccess::StoreUses() {
  if (registry_ == nullptr) return;
  const absl::Status stored = registry_->StoreUses();
  if (!stored.ok()) Log(LogLevel::kWarning, "last uses of API tokens were not stored", {{"error", stored.ToString()}});
}

}  // namespace tersor
