#include "server/auth/token_processor.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/auth/method_scopes.h"

namespace tersor {
namespace {

using Metadata = grpc::AuthMetadataProcessor::InputMetadata;

absl::string_view ValueOf(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : absl::string_view(found->second.data(), found->second.size());
}

std::string ScopeText(v1::TokenScope scope) {
  return scope == v1::TOKEN_SCOPE_READ ? "read" : (scope == v1::TOKEN_SCOPE_SUBMIT ? "submit" : "admin");
}

}  // namespace

grpc::Status TokenProcessor::Refuse(absl::string_view rpc, grpc::StatusCode code, const std::string& message,
                                    const CallIdentity& who) {
  on_refusal_({.who = who, .rpc = std::string(rpc), .reason = message.substr(0, message.find(':')), .code = code});
  return {code, message};
}

grpc::Status TokenProcessor::Process(const InputMetadata& metadata, grpc::AuthContext*, OutputMetadata*,
                                     OutputMetadata*) {
  const absl::string_view rpc = ValueOf(metadata, ":path");
  const v1::TokenScope needed = ScopeOfRpc(rpc);
  if (needed == v1::TOKEN_SCOPE_UNSPECIFIED) return grpc::Status::OK;
  absl::string_view secret = ValueOf(metadata, kAuthorizationHeader);
  if (!absl::ConsumePrefix(&secret, kBearer)) {
    return Refuse(rpc, grpc::StatusCode::UNAUTHENTICATED,
                  "TOKEN_MISSING: an API token is needed, in the header \"authorization: Bearer ...\"; tersor takes it "
                  "from TERSOR_TOKEN or --token-file");
  }
  // Else who the call is from would depend on which of them is looked at.
  if (metadata.count(kAuthorizationHeader) > 1) {
    return Refuse(rpc, grpc::StatusCode::UNAUTHENTICATED, "TOKEN_MALFORMED: more than one header \"authorization\"");
  }
  const absl::StatusOr<TokenRecord> token = tokens_.Recognize(secret);
  if (!token.ok()) {
    return Refuse(rpc, grpc::StatusCode::UNAUTHENTICATED, std::string(token.status().message()));
  }
  // Before the scope: refusals count as well.
  const absl::Duration wait = limiter_.Take(token->id);
  if (wait > absl::ZeroDuration()) {
    return Refuse(
        rpc, grpc::StatusCode::RESOURCE_EXHAUSTED,
        absl::StrCat("RATE_LIMITED: the API token \"", token->name, "\" may make ", limiter_.rate(),
                     " calls a second; try again in ", absl::FormatDuration(absl::Ceil(wait, absl::Milliseconds(1)))),
        {.token = token->id, .token_name = token->name});
  }
  if (token->scope < needed) {
    return Refuse(rpc, grpc::StatusCode::PERMISSION_DENIED,
                  absl::StrCat("SCOPE_TOO_SMALL: the API token \"", token->name, "\" has scope ",
                               ScopeText(token->scope), ", this call needs ", ScopeText(needed)),
                  {.token = token->id, .token_name = token->name});
  }
  return grpc::Status::OK;
}

}  // namespace tersor
