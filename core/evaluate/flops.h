// Floating-point operations that a model's shapes ask for: computed, not measured.
#ifndef TERSOR_CORE_EVALUATE_FLOPS_H_
#define TERSOR_CORE_EVALUATE_FLOPS_H_

#include <cstdint>

#include "core/model/model.h"

namespace tersor {

// A multiplication and an addition are two operations. Counted are the blocks' matrices, the head and the products of
// attention (queries with keys, probabilities with values; what a sliding window hides is not computed); norms,
// activations and rope are left out, well under a hundredth of the rest. How weights are stored changes nothing here: a
// quantized matrix takes as many operations, of another kind.
struct FlopsPerToken {
  // Mean over a prompt's tokens, the head computed once, after the last.
  double prefill = 0;
  // One token after the prompt, head included.
  double decode = 0;
};

// For a prompt of `tokens` tokens, at least 1.
FlopsPerToken CountFlops(const ModelSpec& spec, int64_t tokens);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_FLOPS_H_
