#include "client/cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace tersor::client {
namespace {

// What the handler touches: lock-free atomics alone. A process runs one command, so one token is enough.
CancellationToken g_token;
std::atomic<bool> g_in_scope{false};
std::atomic<int> g_signal{0};
// When the first signal came, by the steady clock; 0 before.
std::atomic<int64_t> g_first_ns{0};

// `timeout`, shells and CI runners signal a process and then its whole group: what comes this soon is one request.
constexpr int64_t kOneRequestNs = 1'000'000'000;

int64_t SteadyNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void Handle(int signal) {
  const int64_t now = SteadyNs();
  int64_t first = 0;
  if (g_first_ns.compare_exchange_strong(first, now)) first = now;
  if (!g_in_scope.load() || now - first > kOneRequestNs) _exit(128 + signal);
  int none = 0;
  if (g_signal.compare_exchange_strong(none, signal)) g_token.Cancel();
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
