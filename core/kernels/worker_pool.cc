#include "core/kernels/worker_pool.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace tersor {
namespace {

// More threads than any machine this runs on has cores.
constexpr int kMostWorkers = 511;
// How long a worker looks for the next loop before it sleeps: loops of one forward pass follow each other closely.
constexpr std::chrono::microseconds kLookout(50);

thread_local bool inside_task = false;

struct Loop {
  Loop(int64_t tasks, int helpers, absl::FunctionRef<void(int64_t)> task)
      : tasks(tasks), helpers_wanted(helpers), task(task) {}

  // Takes tasks until none is left.
  void Work() {
    inside_task = true;
    for (int64_t i = next.fetch_add(1); i < tasks; i = next.fetch_add(1)) task(i);
    inside_task = false;
  }

  const int64_t tasks;
  // Guarded by the pool's mutex.
  int helpers_wanted;
  const absl::FunctionRef<void(int64_t)> task;
  std::atomic<int64_t> next{0};
  // Helpers at work.
  std::atomic<int> helpers{0};
};

class Pool {
 public:
  void Run(int threads, int64_t tasks, absl::FunctionRef<void(int64_t)> task) {
    const int helpers = static_cast<int>(std::min<int64_t>({threads - 1, tasks - 1, kMostWorkers}));
    const auto loop = std::make_shared<Loop>(tasks, helpers, task);
    {
      const auto lock = Lock();
      for (; workers_ < helpers; ++workers_) std::thread([this] { Serve(); }).detach();
      loops_.push_back(loop);
    }
    // Not under the lock, which those who look out for it take next.
    posted_.fetch_add(1);
    if (sleeping_.load() > 0) {
      // Whoever has not seen the new loop is asleep once the lock is free, and hears.
      Lock().unlock();
      wake_.notify_all();
    }
    loop->Work();
    {
      const auto lock = Lock();
      loops_.remove(loop);
    }
    // Nobody joins any more; wait for those who are at their last task.
    for (int left = loop->helpers.load(); left > 0; left = loop->helpers.load()) {
      if (!SpinUntil([&] { return loop->helpers.load() != left; })) loop->helpers.wait(left);
    }
  }

 private:
  // It is held for some dozen instructions only: to sleep for it would take far longer than to try again.
  std::unique_lock<std::mutex> Lock() {
    constexpr int kTries = 200;
    for (int i = 0; i < kTries; ++i) {
      if (mutex_.try_lock()) return {mutex_, std::adopt_lock};
      __builtin_ia32_pause();
    }
    return std::unique_lock<std::mutex>(mutex_);
  }

  template <typename Condition>
  static bool SpinUntil(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + kLookout;
    while (true) {
      for (int i = 0; i < 64; ++i) {
        if (condition()) return true;
        __builtin_ia32_pause();
      }
      if (std::chrono::steady_clock::now() > end) return false;
    }
  }

  // A loop that wants another helper, joined; null where there is none.
  std::shared_ptr<Loop> Join() {
    for (const auto& loop : loops_) {
      if (loop->helpers_wanted == 0) continue;
      --loop->helpers_wanted;
      loop->helpers.fetch_add(1);
      return loop;
    }
    return nullptr;
  }

  void Serve() {
    omp_set_num_threads(1);
    while (true) {
      const uint64_t seen = posted_.load();
      std::shared_ptr<Loop> loop;
      {
        const auto lock = Lock();
        loop = Join();
      }
      if (loop == nullptr) {
        if (SpinUntil([&] { return posted_.load() != seen; })) continue;
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_.fetch_add(1);
        wake_.wait(lock, [&] { return posted_.load() != seen; });
        sleeping_.fetch_sub(1);
        continue;
      }
      loop->Work();
      if (loop->helpers.fetch_sub(1) == 1) loop->helpers.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::list<std::shared_ptr<Loop>> loops_;
  int workers_ = 0;
  std::atomic<uint64_t> posted_{0};
  std::atomic<int> sleeping_{0};
};

}  // namespace

void RunTasks(int threads, int64_t tasks, absl::FunctionRef<void(int64_t)> task) {
  if (inside_task) {
    for (int64_t i = 0; i < tasks; ++i) task(i);
    return;
  }
  const int openmp_threads = omp_get_max_threads();
  omp_set_num_threads(1);
  if (threads <= 1 || tasks <= 1) {
    for (int64_t i = 0; i < tasks; ++i) task(i);
  } else {
    // Never destroyed: its threads live as long as the process.
    static Pool* const pool = new Pool;
    pool->Run(threads, tasks, task);
  }
  omp_set_num_threads(openmp_threads);
}

}  // namespace tersor
