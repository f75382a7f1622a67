#include "client/cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace tersor::client {
namespace {

// What the handler touches: lock-free atomics alone. A process runs one command, so one token is enough.
CancellationToken g_token;
std::atomic<bool> g_in_scope{false};
std::atomic<int> g_signal{0};

void Handle(int signal) {
  int expected = 0;
  if (!g_in_scope.load() || !g_signal.compare_exchange_strong(expected, signal)) _exit(128 + signal);
  g_token.Cancel();
}

}  // namespace

void InstallInterrupts() {
  struct sigaction action {};
  action.sa_handler = Handle;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A reader that goes away (`tersor list | head`) is an error of the write, not a silent death.
  std::signal(SIGPIPE, SIG_IGN);
}

InterruptScope::InterruptScope() { g_in_scope = true; }

InterruptScope::~InterruptScope() { g_in_scope = false; }

const CancellationToken* InterruptScope::token() const { return &g_token; }

int InterruptScope::exit_code() const { return g_signal == 0 ? 0 : 128 + g_signal; }

}  // namespace tersor::client
