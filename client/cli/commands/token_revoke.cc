#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"
#include "client/cpp/token_client.h"

namespace tersor::client {
namespace {

class TokenRevokeCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("revoke", "Make a token invalid from now on");
    app.Positional("id", id_, "As `tersor token list` shows it", "ID", /*required=*/true);
    AddServerOption(app, common);
    AddQuietOption(app, common);
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    const absl::Status revoked = RevokeToken(*connection, id_);
    if (!revoked.ok()) return console.Fail(revoked);
    console.Note(absl::StrCat("token ", id_, " is revoked"));
    return kExitPassed;
  }

 private:
  std::string id_;
};

}  // namespace

std::unique_ptr<Command> NewTokenRevokeCommand() { return std::make_unique<TokenRevokeCommand>(); }

}  // namespace tersor::client
