// What training minimises, row by row of logits: the joint between the head and the losses.
#ifndef TERSOR_CORE_TRAIN_ROW_LOSS_H_
#define TERSOR_CORE_TRAIN_ROW_LOSS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/train/divergence_loss.h"

namespace tersor {

class RowLoss {
 public:
  virtual ~RowLoss() = default;
  // Called on one thread before Run of these rows of the batch, and after it for all earlier ones.
  virtual absl::Status Prepare(std::span<const int64_t> rows) = 0;
  // Row `rows[i]`'s logits become the loss's gradient, times `scale`; returns the loss without it. Rows of one Prepare
  // may run side by side.
  virtual double Run(int64_t i, float scale, std::span<float> logits) const = 0;
};

// -log softmax(logits)[target]. `targets`, one a row of the batch, must outlive it.
class CrossEntropyLoss final : public RowLoss {
 public:
  explicit CrossEntropyLoss(std::span<const int32_t> targets) : targets_(targets) {}
  absl::Status Prepare(std::span<const int64_t> rows) override;
  double Run(int64_t i, float scale, std::span<float> logits) const override;

 private:
  std::span<const int32_t> targets_;
  std::vector<int32_t> prepared_;
};

// A teacher's logits of rows of the batch.
class TeacherLogits {
 public:
  virtual ~TeacherLogits() = default;
  // logits [rows, vocabulary].
  virtual absl::Status Logits(std::span<const int64_t> rows, std::span<float> logits) = 0;
};

// share * divergence from the teacher + (1 - share) * cross-entropy.
class DistillationLoss final : public RowLoss {
 public:
  DistillationLoss(const DivergenceOptions& options, double share, std::span<const int32_t> targets, int64_t vocabulary,
                   TeacherLogits* teacher)
      : options_(options), share_(share), cross_entropy_(targets), vocabulary_(vocabulary), teacher_(teacher) {}
  absl::Status Prepare(std::span<const int64_t> rows) override;
  double Run(int64_t i, float scale, std::span<float> logits) const override;

 private:
  double RunDivergence(double scale, std::span<float> logits, std::span<float> teacher) const;

  DivergenceOptions options_;
  double share_;
  CrossEntropyLoss cross_entropy_;
  int64_t vocabulary_;
  TeacherLogits* teacher_;
  // Of the prepared rows; each is read, and overwritten, by its own Run.
  mutable std::vector<float> logits_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_ROW_LOSS_H_
