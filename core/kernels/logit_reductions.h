// What is kept of a row of logits: enough for log-likelihoods and divergence, gathered chunk by chunk.
#ifndef TERSOR_CORE_KERNELS_LOGIT_REDUCTIONS_H_
#define TERSOR_CORE_KERNELS_LOGIT_REDUCTIONS_H_

#include <cstdint>
#include <limits>

namespace tersor {

// Of the logits seen so far: their largest, its lowest index, and the sum of exp(logit - largest). Where one of them is
// NaN or +infinite the sum is NaN, and the others may be anything.
struct LogitStats {
  float largest = -std::numeric_limits<float>::infinity();
  int64_t argmax = -1;
  double sum_exp = 0;

  // `next` continues after this one's last logit. The result does not depend on more than the chunks and their order.
  void Append(const LogitStats& next);
  // log(sum of exp(logit)).
  double LogSumExp() const;
};

// Statistics of `count` logits, the first of which has index `first`. Exponentials are floats (at most 1 ulp off),
// sums are doubles.
LogitStats ReduceLogits(const float* logits, int64_t count, int64_t first);

// Of two rows of logits over the same ids: both statistics and sum of exp(dense - largest dense) * (dense - other).
struct DivergenceStats {
  LogitStats dense;
  LogitStats other;
  double weighted_difference = 0;

  void Append(const DivergenceStats& next);
  // KL(softmax(dense) || softmax(other)) in nats.
  double Divergence() const;
};

DivergenceStats ReduceLogitPair(const float* dense, const float* other, int64_t count, int64_t first);

// What `count` ids add to the Jensen-Shannon divergence, in nats, of two rows of logits whose LogSumExp over all ids
// are given: sum of p log(p / m) / 2 + q log(q / m) / 2 with m = (p + q) / 2. 0 where the rows are equal.
double JensenShannonPart(const float* dense, double dense_log_sum, const float* other, double other_log_sum,
                         int64_t count);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_LOGIT_REDUCTIONS_H_
