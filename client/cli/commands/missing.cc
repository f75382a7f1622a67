#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"

namespace tersor::client {
namespace {

class MissingCommand final : public Command {
 public:
  MissingCommand(std::string name, std::string description)
      : name_(std::move(name)), description_(std::move(description)) {}

  Arguments Define(const Arguments& parent, CommonOptions&) override {
    Arguments app = parent.Subcommand(name_, absl::StrCat(description_, " (not in this build)"));
    app.AllowExtras();
    return app;
  }

  int Run(const CommonOptions&, Console& console) override {
    return console.Fail(kExitUsage,
                        absl::StrCat("this build of tersor has no engine, and `", name_,
                                     "` needs one: it was built for clients of a server (preset \"client\").\n"
                                     "Use a full build, or give the work to a server: tersor submit"));
  }

 private:
  std::string name_;
  std::string description_;
};

}  // namespace

std::unique_ptr<Command> NewMissingCommand(std::string name, std::string description) {
  return std::make_unique<MissingCommand>(std::move(name), std::move(description));
}

}  // namespace tersor::client
