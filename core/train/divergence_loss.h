// Losses of a student's logits against a teacher's, row by row, with their exact gradients.
#ifndef TERSOR_CORE_TRAIN_DIVERGENCE_LOSS_H_
#define TERSOR_CORE_TRAIN_DIVERGENCE_LOSS_H_

#include <span>

namespace tersor {

// Of p = softmax(teacher / temperature) and q = softmax(student / temperature), in nats.
enum class DivergenceKind {
  // KL(p || q).
  kForwardKl,
  // KL(q || p).
  kReverseKl,
  // mix KL(p || m) + (1 - mix) KL(q || m) with m = mix p + (1 - mix) q (arXiv 2306.13649; mix strictly between 0 and
  // 1).
  kJensenShannon,
  // KL(p || mix p + (1 - mix) q) and KL(q || (1 - mix) p + mix q) (DistiLLM, arXiv 2402.03898).
  kSkewForwardKl,
  kSkewReverseKl,
};

struct DivergenceOptions {
  DivergenceKind kind = DivergenceKind::kForwardKl;
  double temperature = 1;
  double mix = 0.5;
  // Times temperature^2, which keeps gradients as large as those of cross-entropy.
  bool times_squared_temperature = false;
};

// The student's logits become the loss's gradient, times `scale`; returns the loss without it. The teacher's logits are
// overwritten. Both have one size. In double, whatever T (float or double) is.
template <typename T>
double BackpropagateDivergence(const DivergenceOptions& options, double scale, std::span<T> student,
                               std::span<T> teacher);

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_DIVERGENCE_LOSS_H_
