#include "server/base/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tersor {
namespace {

TEST(Mutex, GuardsWhatManyThreadsChange) {
  Mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int step = 0; step < 1000; ++step) {
        const MutexLock lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 4000);
}

TEST(Mutex, AwaitReturnsOnceAnotherThreadMadeItTrue) {
  Mutex mutex;
  bool ready = false;
  std::thread other([&] {
    const MutexLock lock(mutex);
    ready = true;
  });
  {
    const MutexLock lock(mutex);
    mutex.Await([&] { return ready; });
    EXPECT_TRUE(ready);
  }
  other.join();
}

// Each waits for the other's step: who starts to wait has to wake who waits already.
TEST(Mutex, TwoThreadsThatWaitForOneAnotherGoOn) {
  Mutex mutex;
  int turn = 0;
  const auto play = [&](int parity) {
    const MutexLock lock(mutex);
    for (int step = parity; step < 200; step += 2) {
      mutex.Await([&] { return turn == step; });
      ++turn;
    }
  };
  std::thread even(play, 0);
  std::thread odd(play, 1);
  even.join();
  odd.join();
  EXPECT_EQ(turn, 200);
}

TEST(Mutex, AwaitWithTimeoutTellsWhetherTheConditionHolds) {
  Mutex mutex;
  const MutexLock lock(mutex);
  EXPECT_FALSE(mutex.AwaitWithTimeout([] { return false; }, absl::Milliseconds(1)));
  EXPECT_TRUE(mutex.AwaitWithTimeout([] { return true; }, absl::Milliseconds(1)));
}

}  // namespace
}  // namespace tersor
