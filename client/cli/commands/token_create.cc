#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/duration_flag.h"
#include "client/cli/remote.h"
#include "client/cpp/token_client.h"

namespace tersor::client {
namespace {

// UNSPECIFIED for what is no scope's name.
v1::TokenScope ScopeNamed(const std::string& name) {
  v1::TokenScope scope = v1::TOKEN_SCOPE_UNSPECIFIED;
  v1::TokenScope_Parse(absl::StrCat("TOKEN_SCOPE_", absl::AsciiStrToUpper(name)), &scope);
  return scope;
}

class TokenCreateCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("create", "Make a token and print it, which happens once");
    app.Positional("name", name_, "Whom or what it is for", "NAME", /*required=*/true);
    app.Choice(
        "--scope", scope_,
        "read: look, watch, download; submit: also submit, cancel, upload; admin: also delete, clean up and manage "
        "tokens",
        {"read", "submit", "admin"});
    app.Option("--lifetime", lifetime_, "How long it is valid, for example 90d; 0: for ever", "TIME");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer(
        "Example, into a file that only its owner can read:\n"
        "  (umask 077; tersor token create ci --scope submit > ci.token)");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    v1::CreateTokenRequest request;
    request.set_name(name_);
    request.set_scope(ScopeNamed(scope_));
    const absl::StatusOr<absl::Duration> lifetime = ParseDuration(lifetime_, "--lifetime");
    if (!lifetime.ok()) return console.Fail(lifetime.status());
    request.set_lifetime_seconds(absl::ToInt64Seconds(*lifetime));
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    const absl::StatusOr<v1::CreateTokenResponse> response = CreateToken(*connection, request);
    if (!response.ok()) return console.Fail(response.status());
    if (console.json) {
      console.Json(*response);
    } else {
      console.Out() << response->secret() << std::endl;
      console.Note(absl::StrCat("token ", response->token().id(), " (", scope_, "); it is not shown again"));
    }
    return kExitPassed;
  }

 private:
  std::string name_;
  std::string scope_ = "read";
  std::string lifetime_ = "90d";
};

}  // namespace

std::unique_ptr<Command> NewTokenCreateCommand() { return std::make_unique<TokenCreateCommand>(); }

}  // namespace tersor::client
