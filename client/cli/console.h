// Where commands print: answers to standard output, everything about the way there to standard error.
#ifndef TERSOR_CLIENT_CLI_CONSOLE_H_
#define TERSOR_CLIENT_CLI_CONSOLE_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cli/exit_codes.h"
#include "google/protobuf/message.h"

namespace tersor::client {

// Not thread-safe.
class Console {
 public:
  Console(std::ostream& out, std::ostream& err) : out_(out), err_(err) {}

  // --output json: `Out` is for JSON alone.
  bool json = false;
  // --quiet: no progress and no notes, only answers and errors.
  bool quiet = false;
  // Standard error is a terminal that understands a carriage return.
  bool terminal = false;
  // Columns of standard error's and standard output's terminal.
  int error_width = 80;
  int width = 100;

  std::ostream& Out() { return out_; }
  std::ostream& Err() { return err_; }
  void Json(const google::protobuf::Message& message);
  // One line of standard error, unless quiet.
  void Note(absl::string_view line);
  // What went wrong and what to do about it; answers the code to exit with.
  ExitCode Fail(const absl::Status& status);
  ExitCode Fail(ExitCode code, absl::string_view message);
  // A line without "tersor:" before it.
  void Line(absl::string_view line);
  // A line that names its file itself and is an error.
  void Fault(absl::string_view line);
  // What Fail and Fault have printed, a line each.
  const std::string& errors() const { return errors_; }

  // Sizes and kinds of the process's standard streams.
  void DetectTerminal();

 private:
  std::ostream& out_;
  std::ostream& err_;
  std::string errors_;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_CONSOLE_H_
