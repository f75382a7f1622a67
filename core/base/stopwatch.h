// Time that has passed, by a clock that nobody sets.
#ifndef TERSOR_CORE_BASE_STOPWATCH_H_
#define TERSOR_CORE_BASE_STOPWATCH_H_

#include <chrono>

namespace tersor {

// Starts at construction.
class Stopwatch {
 public:
  double Seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_STOPWATCH_H_
