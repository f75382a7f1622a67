// A token store of memory.
#ifndef TERSOR_TESTS_SERVER_AUTH_FAKE_TOKEN_STORE_H_
#define TERSOR_TESTS_SERVER_AUTH_FAKE_TOKEN_STORE_H_

#include <map>
#include <string>

#include "server/auth/token_store.h"

namespace tersor::testing {

class FakeTokenStore final : public TokenStore {
 public:
  absl::Status InsertToken(const TokenRecord& token) override {
    if (!failure.ok()) return failure;
    tokens.emplace(token.id, token);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<TokenRecord>> ListTokens() override {
    std::vector<TokenRecord> all;
    for (const auto& [id, token] : tokens) all.push_back(token);
    return all;
  }
  absl::Status DeleteToken(absl::string_view id) override {
    if (!failure.ok()) return failure;
    return tokens.erase(std::string(id)) == 1 ? absl::OkStatus() : absl::NotFoundError("no token");
  }
  absl::Status SetTokenUse(absl::string_view id, absl::Time time) override {
    ++uses;
    tokens.at(std::string(id)).last_use_time = time;
    return absl::OkStatus();
  }

  std::map<std::string, TokenRecord> tokens;
  absl::Status failure;
  int uses = 0;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_AUTH_FAKE_TOKEN_STORE_H_
