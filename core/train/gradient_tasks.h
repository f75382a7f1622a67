// Work that adds to gradients, to be shared among threads.
#ifndef TERSOR_CORE_TRAIN_GRADIENT_TASKS_H_
#define TERSOR_CORE_TRAIN_GRADIENT_TASKS_H_

#include <functional>
#include <map>
#include <vector>

#include "core/train/parameter.h"

namespace tersor {

// Tasks of one target are run one after the other in the order they came; those of several run side by side: every
// element's sum has one order whatever the number of threads.
class GradientTasks {
 public:
  // A target of its own.
  void Add(std::function<void()> task) { chains_.push_back({std::move(task)}); }
  // After the tasks that `target` has already.
  void AddTo(const Parameter* target, std::function<void()> task);
  // Runs and forgets them.
  void Run(int threads);

 private:
  std::vector<std::vector<std::function<void()>>> chains_;
  std::map<const Parameter*, size_t> chain_of_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_GRADIENT_TASKS_H_
