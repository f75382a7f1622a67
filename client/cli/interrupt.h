// Ctrl-C and SIGTERM.
#ifndef TERSOR_CLIENT_CLI_INTERRUPT_H_
#define TERSOR_CLIENT_CLI_INTERRUPT_H_

#include "core/base/cancellation.h"

namespace tersor::client {

// From now on SIGINT and SIGTERM end the process at once with 130 and 143, but while an InterruptScope lives. Call
// once, early.
void InstallInterrupts();

// While it lives, the first signal sets its token so that the command can end in order; one that comes more than a
// second later ends the process at once. One a process.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  const CancellationToken* token() const;
  bool interrupted() const { return exit_code() != 0; }
  // 130 or 143 after a signal, else 0.
  int exit_code() const;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_INTERRUPT_H_
