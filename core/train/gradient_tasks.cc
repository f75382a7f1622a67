#include "core/train/gradient_tasks.h"

#include <utility>

#include "core/kernels/worker_pool.h"

namespace tersor {

void GradientTasks::AddTo(const Parameter* target, std::function<void()> task) {
  const auto [place, is_new] = chain_of_.try_emplace(target, chains_.size());
  if (is_new) chains_.emplace_back();
  chains_[place->second].push_back(std::move(task));
}

void GradientTasks::Run(int threads) {
  RunTasks(threads, static_cast<int64_t>(chains_.size()), [&](int64_t i) {
    for (const std::function<void()>& task : chains_[i]) task();
  });
  chains_.clear();
  chain_of_.clear();
}

}  // namespace tersor
