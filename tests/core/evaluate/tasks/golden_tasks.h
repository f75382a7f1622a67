// The demo model's answers to tasks against lm-eval's recorded ones.
#ifndef TERSOR_TESTS_CORE_EVALUATE_TASKS_GOLDEN_TASKS_H_
#define TERSOR_TESTS_CORE_EVALUATE_TASKS_GOLDEN_TASKS_H_

#include <string>

namespace tersor {

// The first `count` items of golden/smollm2-135m/tasks_loglikelihood/TASK.jsonl: every log-likelihood within 1e-3 or
// 1e-5 relative, the greedy flags equal, the accuracies equal. Skips by name where the model or the folder is missing.
void ExpectGoldenTask(const std::string& task, int count);

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_EVALUATE_TASKS_GOLDEN_TASKS_H_
