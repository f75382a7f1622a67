// What commands declare about their command lines. The one door to CLI11, which is slow to compile.
#ifndef TERSOR_CLIENT_CLI_ARGUMENTS_H_
#define TERSOR_CLIENT_CLI_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tersor::client {

// A command's part of the command line. `names` is "-n,--limit"; `type` is what help shows for the value. Variables
// must live until the command line has been read. Cheap to copy.
class Arguments {
 public:
  explicit Arguments(CLI::App* app) : app_(app) {}

  Arguments Subcommand(const std::string& name, const std::string& description) const;
  void RequireSubcommand() const;
  // Anything is taken and forgotten.
  void AllowExtras() const;
  // Examples and the like, under the options.
  void Footer(const std::string& text) const;

  void Option(const std::string& names, std::string& value, const std::string& help, const std::string& type) const;
  // May be given several times.
  void Option(const std::string& names, std::vector<std::string>& values, const std::string& help,
              const std::string& type) const;
  void Option(const std::string& names, int& value, const std::string& help, int least, int most) const;
  void Option(const std::string& names, uint64_t& value, const std::string& help) const;
  void Option(const std::string& names, double& value, const std::string& help, double least, double most) const;
  // One of `choices`, in any case.
  void Choice(const std::string& names, std::string& value, const std::string& help,
              const std::vector<std::string>& choices) const;
  // Whose value may be left out; `given` tells whether it was named.
  void OptionalValue(const std::string& names, bool& given, std::string& value, const std::string& help,
                     const std::string& type) const;
  void Flag(const std::string& names, bool& value, const std::string& help) const;
  void Positional(const std::string& name, std::string& value, const std::string& help, const std::string& type,
                  bool required) const;
  void Positionals(const std::string& name, std::vector<std::string>& values, const std::string& help,
                   const std::string& type) const;

  // After reading: whether the command line names this command.
  bool parsed() const;

 private:
  CLI::App* app_;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_ARGUMENTS_H_
