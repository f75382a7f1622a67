// Final norm, language-model head and loss with their backward pass, without the matrix of all logits.
#ifndef TERSOR_CORE_TRAIN_TRAINED_HEAD_H_
#define TERSOR_CORE_TRAIN_TRAINED_HEAD_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/train/row_loss.h"
#include "core/train/trained_linear.h"
#include "core/train/trained_norm.h"

namespace tersor {

// Thread-compatible.
class TrainedHead {
 public:
  // `source` is the head's weight (the embedding's where they are tied).
  static absl::StatusOr<std::unique_ptr<TrainedHead>> Create(const ModelSpec& spec, ParameterMap& parameters,
                                                             TrainedLinearSource source, const ComputeOptions& options);
  // After the parameters have changed.
  void Refresh() { norm_.Refresh(); }

  // hidden [tokens, width] after the last block; `rows` are those that the loss counts, rising. Returns the sum of
  // their losses. gradient [tokens, width] becomes the hidden's, times `scale`, and the parameters' gradients are added
  // to; where it is empty the loss alone is computed. Logits of a few hundred rows are in memory at a time.
  absl::StatusOr<double> Run(std::span<const float> hidden, std::span<const int64_t> rows, float scale, RowLoss& loss,
                             std::span<float> gradient) const;

 private:
  struct Rows;

  // Rows [first, first + count) of the trained weight.
  absl::StatusOr<PackedMatrix> PackTrained(int64_t first, int64_t count, bool transposed) const;
  absl::Status Logits(const Rows& rows, float* logits) const;
  // Logits become gradients; losses go to `losses`, one a row.
  void RunLosses(int64_t count, float scale, const RowLoss& loss, float* logits, double* losses) const;
  absl::Status BackwardRows(const Rows& rows, const float* logits, float* normed_gradient) const;
  void AddWeightGradients(const Rows& rows, const float* logits) const;

  ComputeOptions options_;
  int64_t width_ = 0;
  int64_t vocabulary_ = 0;
  float logit_cap_ = 0;
  TrainedNorm norm_;
  TrainedLinearSource source_;
  // Of runs of ids; a trained weight's are packed when they are used.
  std::vector<PackedMatrix> transposed_chunks_;
  std::vector<Linear> frozen_chunks_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_TRAINED_HEAD_H_
