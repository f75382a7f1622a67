// What every evaluator is called with beside its subject.
#ifndef TERSOR_CORE_EVALUATE_EVALUATE_CONTEXT_H_
#define TERSOR_CORE_EVALUATE_EVALUATE_CONTEXT_H_

#include <cstdint>
#include <functional>

#include "core/base/cancellation.h"

namespace tersor {

struct EvaluateContext {
  // Null: never cancelled.
  const CancellationToken* cancellation = nullptr;
  // (tokens, or measurements, done; in all); may be null. Called from the evaluating thread, several times a pass.
  std::function<void(int64_t, int64_t)> progress = {};

  void Report(int64_t done, int64_t total) const {
    if (progress) progress(done, total);
  }
};

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_EVALUATE_CONTEXT_H_
