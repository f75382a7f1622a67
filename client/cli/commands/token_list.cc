#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"
#include "client/cpp/token_client.h"
#include "core/report/text_table.h"

namespace tersor::client {
namespace {

std::string TimeText(bool given, const google::protobuf::Timestamp& time) {
  if (!given) return "never";
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixSeconds(time.seconds()), absl::UTCTimeZone());
}

std::string ScopeText(v1::TokenScope scope) {
  const std::string name = v1::TokenScope_Name(scope);
  return absl::AsciiStrToLower(absl::StripPrefix(name, "TOKEN_SCOPE_"));
}

class TokenListCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("list", "Tokens of the server, without their secrets; times are UTC");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    const absl::StatusOr<v1::ListTokensResponse> response = ListTokens(*connection);
    if (!response.ok()) return console.Fail(response.status());
    if (console.json) {
      console.Json(*response);
      return kExitPassed;
    }
    ReportSection section{.columns = {{"id"}, {"name"}, {"scope"}, {"created"}, {"expires"}, {"last use"}}};
    for (const v1::Token& token : response->tokens()) {
      section.rows.push_back({token.id(), token.name(), ScopeText(token.scope()), TimeText(true, token.create_time()),
                              TimeText(token.has_expire_time(), token.expire_time()),
                              TimeText(token.has_last_use_time(), token.last_use_time())});
    }
    console.Out() << TextTable(section, console.width) << std::flush;
    return kExitPassed;
  }
};

}  // namespace

std::unique_ptr<Command> NewTokenListCommand() { return std::make_unique<TokenListCommand>(); }

}  // namespace tersor::client
