#include "client/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cpp/rpc_status.h"
#include "core/report/escape.h"
#include "core/report/report_format.h"

namespace tersor::client {
namespace {

int TerminalWidth(int descriptor, int otherwise) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return size.ws_col;
}

bool EnvironmentIs(const char* name, absl::string_view value) {
  const char* found = std::getenv(name);
  return found != nullptr && value == found;
}

bool IsFullDisk(absl::string_view message) {
  return absl::StrContains(message, "No space left") || absl::StrContains(message, "quota exceeded") ||
         absl::StrContains(message, "disk is full");
}

// What the user can do; empty where the message says it all.
absl::string_view Hint(const absl::Status& status) {
  if (absl::IsUnavailable(status)) {
    return "is tersord running there? Start it, or name another server by --server HOST:PORT or TERSOR_SERVER; "
           "`tersor run` needs no server";
  }
  if (!absl::IsResourceExhausted(status)) return "";
  // Only a server gives reasons.
  if (ErrorReason(status).empty()) return "free some space or memory and start again: finished work is kept";
  return IsFullDisk(status.message())
             ? "the server's disk is full: free space there (`tersor gc` removes old files) and "
               "start again: finished work is kept"
             : "";
}

}  // namespace

void Console::Json(const google::protobuf::Message& message) { out_ << MessageToJson(message) << std::endl; }

void Console::Line(absl::string_view line) { err_ << EscapeTerminal(line) << std::endl; }

void Console::Fault(absl::string_view line) {
  absl::StrAppend(&errors_, errors_.empty() ? "" : "\n", line);
  Line(line);
}

void Console::Note(absl::string_view line) {
  if (!quiet) Line(line);
}

ExitCode Console::Fail(const absl::Status& status) {
  Fail(ExitCodeOf(status), status.message().empty() ? status.ToString() : std::string(status.message()));
  if (!Hint(status).empty()) Line(Hint(status));
  return ExitCodeOf(status);
}

ExitCode Console::Fail(ExitCode code, absl::string_view message) {
  absl::string_view prefix = "tersor: ";
  absl::StrAppend(&errors_, errors_.empty() ? "" : "\n", message);
  for (absl::string_view line : absl::StrSplit(message, '\n')) {
    err_ << prefix << EscapeTerminal(line) << std::endl;
    prefix = "  ";
  }
  return code;
}

void Console::DetectTerminal() {
  // A CI log may be a pseudo-terminal, and keeps every redrawn bar.
  terminal = isatty(STDERR_FILENO) == 1 && !EnvironmentIs("TERM", "dumb") && !EnvironmentIs("CI", "true");
  error_width = TerminalWidth(STDERR_FILENO, 80);
  width = TerminalWidth(STDOUT_FILENO, 100);
}

}  // namespace tersor::client
