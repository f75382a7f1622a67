#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"
#include "core/report/escape.h"
#include "core/report/text_table.h"

namespace tersor::client {
namespace {

class MethodsCommand final : public Command {
 public:
  explicit MethodsCommand(Engine* engine) : engine_(engine) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("methods", "Compression methods and their options");
    app.Positional("name", name_, "Only this method", "METHOD", false);
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("With --server (and in a build without engine) the server's methods, else this program's own.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<v1::ListMethodsResponse> methods = Ask(common);
    if (!methods.ok()) return console.Fail(methods.status());
    if (absl::Status status = Keep(*methods); !status.ok()) return console.Fail(status);
    if (console.json) {
      console.Json(*methods);
    } else {
      for (const v1::MethodInfo& method : methods->methods()) Print(method, console);
    }
    return kExitPassed;
  }

 private:
  absl::StatusOr<v1::ListMethodsResponse> Ask(const CommonOptions& common) const {
    if (engine_ != nullptr && common.server.empty()) return engine_->Methods();
    TERSOR_ASSIGN_OR_RETURN(Connection connection, Connect(common));
    return JobClient(std::move(connection)).ListMethods();
  }

  // Drops all but the method asked for.
  absl::Status Keep(v1::ListMethodsResponse& methods) const {
    if (name_.empty()) return absl::OkStatus();
    std::string known;
    for (const v1::MethodInfo& method : methods.methods()) {
      if (method.name() == name_) {
        v1::MethodInfo found = method;
        methods.clear_methods();
        *methods.add_methods() = std::move(found);
        return absl::OkStatus();
      }
      absl::StrAppend(&known, known.empty() ? "" : ", ", method.name());
    }
    return absl::InvalidArgumentError(absl::StrCat("unknown method \"", name_, "\"; known: ", known));
  }

  static void Print(const v1::MethodInfo& method, Console& console) {
    console.Out() << EscapeTerminal(absl::StrCat(method.family(), ": ", method.name(), ": ", method.summary()));
    if (!method.reference().empty()) console.Out() << " (" << EscapeTerminal(method.reference()) << ")";
    console.Out() << "\n";
    ReportSection section{.columns = {{"option"}, {"type"}, {"default"}, {"meaning"}}};
    for (const auto& option : method.options()) {
      section.rows.push_back({option.name(), option.type(), option.default_value(), option.description()});
    }
    if (!section.rows.empty()) console.Out() << TextTable(section, console.width);
    console.Out() << std::endl;
  }

  Engine* engine_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> NewMethodsCommand(Engine* engine) { return std::make_unique<MethodsCommand>(engine); }

}  // namespace tersor::client
