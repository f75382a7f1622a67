#include "core/kernels/parallel.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <set>
#include <thread>
#include <vector>

namespace tersor {
namespace {

TEST(ParallelForTest, EveryTaskRunsOnce) {
  for (const int threads : {0, 1, 2, 3, 8}) {
    for (const int64_t tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(tasks);
      ASSERT_TRUE(ParallelFor(threads, tasks, [&](int64_t i) {
                    ++runs[i];
                    return absl::OkStatus();
                  }).ok());
      for (const auto& count : runs) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ParallelForTest, TheErrorOfATaskIsReturnedAndEndsTheLoop) {
  for (const int threads : {1, 2}) {
    std::atomic<int64_t> begun{0};
    const absl::Status status = ParallelFor(threads, 100000, [&](int64_t i) {
      ++begun;
      return i >= 10 ? absl::InternalError("task") : absl::OkStatus();
    });
    EXPECT_EQ(status.message(), "task");
    EXPECT_LT(begun, 100000);
  }
}

TEST(ParallelForTest, LoopsOfManyThreadsAtATime) {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        RunTasks(3, 20, [&](int64_t i) { sum += i; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 200 * 190);
}

TEST(ParallelForTest, NestedLoopsStayOnTheirThread) {
  RunTasks(2, 8, [&](int64_t) {
    std::set<std::thread::id> threads;
    RunTasks(2, 50, [&](int64_t) { threads.insert(std::this_thread::get_id()); });
    EXPECT_EQ(threads, std::set<std::thread::id>{std::this_thread::get_id()});
  });
}

TEST(ParallelForTest, LibrariesGetOneThreadWithinATask) {
  const int before = omp_get_max_threads();
  for (const int threads : {1, 3}) {
    RunTasks(threads, 20, [&](int64_t) { EXPECT_EQ(omp_get_max_threads(), 1); });
    EXPECT_EQ(omp_get_max_threads(), before);
  }
}

TEST(ParallelForTest, AtMostAsManyThreadsAsAskedFor) {
  RunTasks(8, 100, [](int64_t) {});
  std::mutex mutex;
  std::set<std::thread::id> seen;
  RunTasks(2, 1000, [&](int64_t) {
    std::lock_guard<std::mutex> lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_LE(seen.size(), 2u);
}

}  // namespace
}  // namespace tersor
