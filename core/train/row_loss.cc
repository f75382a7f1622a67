#include "core/train/row_loss.h"

#include <algorithm>

#include "core/kernels/logit_reductions.h"
#include "core/kernels/scratch.h"
#include "core/kernels/softmax_gradient.h"

namespace tersor {
namespace {

// As Head reduces them: the loss has the bits of scoring.
constexpr int64_t kChunkIds = 512;

LogitStats Reduce(std::span<const float> logits) {
  LogitStats whole;
  const int64_t count = static_cast<int64_t>(logits.size());
  for (int64_t first = 0; first < count; first += kChunkIds) {
    whole.Append(ReduceLogits(logits.data() + first, std::min(kChunkIds, count - first), first));
  }
  return whole;
}

void Scale(std::span<float> x, float factor) {
  for (float& value : x) value *= factor;
}

}  // namespace

absl::Status CrossEntropyLoss::Prepare(std::span<const int64_t> rows) {
  prepared_.clear();
  for (const int64_t row : rows) prepared_.push_back(targets_[row]);
  return absl::OkStatus();
}

double CrossEntropyLoss::Run(int64_t i, float scale, std::span<float> logits) const {
  const double log_sum = Reduce(logits).LogSumExp();
  const double loss = log_sum - static_cast<double>(logits[prepared_[i]]);
  ScaledSoftmax(logits.data(), static_cast<int64_t>(logits.size()), 1, static_cast<float>(log_sum), scale);
  logits[prepared_[i]] -= scale;
  return loss;
}

absl::Status DistillationLoss::Prepare(std::span<const int64_t> rows) {
  TERSOR_RETURN_IF_ERROR(cross_entropy_.Prepare(rows));
  logits_.resize(rows.size() * vocabulary_);
  return teacher_->Logits(rows, logits_);
}

double DistillationLoss::Run(int64_t i, float scale, std::span<float> logits) const {
  const std::span<float> teacher = std::span(logits_).subspan(i * vocabulary_, vocabulary_);
  if (share_ == 1) return RunDivergence(scale, logits, teacher);
  ScratchBuffer copy(vocabulary_);
  std::copy(logits.begin(), logits.end(), copy.data());
  const double cross_entropy = cross_entropy_.Run(i, scale * static_cast<float>(1 - share_), copy.span());
  const double divergence = RunDivergence(scale * share_, logits, teacher);
  for (int64_t id = 0; id < vocabulary_; ++id) logits[id] += copy.data()[id];
  return (1 - share_) * cross_entropy + share_ * divergence;
}

// Forward KL, the usual one, by the kernels: (q - p) / temperature.
double DistillationLoss::RunDivergence(double scale, std::span<float> logits, std::span<float> teacher) const {
  if (options_.kind != DivergenceKind::kForwardKl) {
    return BackpropagateDivergence<float>(options_, scale, logits, teacher);
  }
  const double t = options_.temperature, factor = options_.times_squared_temperature ? t * t : 1;
  if (t != 1) {
    Scale(logits, static_cast<float>(1 / t));
    Scale(teacher, static_cast<float>(1 / t));
  }
  DivergenceStats whole;
  for (int64_t first = 0; first < vocabulary_; first += kChunkIds) {
    const int64_t count = std::min(kChunkIds, vocabulary_ - first);
    whole.Append(ReduceLogitPair(teacher.data() + first, logits.data() + first, count, first));
  }
  const float gradient_scale = static_cast<float>(scale * factor / t);
  ScaledSoftmax(logits.data(), vocabulary_, 1, static_cast<float>(whole.other.LogSumExp()), gradient_scale);
  ScaledSoftmax(teacher.data(), vocabulary_, 1, static_cast<float>(whole.dense.LogSumExp()), gradient_scale);
  for (int64_t id = 0; id < vocabulary_; ++id) logits[id] -= teacher[id];
  return factor * whole.Divergence();
}

}  // namespace tersor
