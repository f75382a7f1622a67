// A linear layer with its backward pass: a weight that is trained, or a frozen one of any encoding with or without a
// low-rank term that is (LoRA, arXiv 2106.09685).
#ifndef TERSOR_CORE_TRAIN_TRAINED_LINEAR_H_
#define TERSOR_CORE_TRAIN_TRAINED_LINEAR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/kernels/outer_products.h"
#include "core/kernels/packed_matrix.h"
#include "core/model/compute_options.h"
#include "core/model/linear.h"
#include "core/train/gradient_tasks.h"
#include "core/train/parameter.h"

namespace tersor {

// y += scale * up (down x). `down` [rank, inputs] may be shared by layers that read the same input.
struct LowRankTerm {
  Parameter* down = nullptr;
  Parameter* up = nullptr;
  float scale = 1;

  int64_t rank() const { return down->rows; }
};

// Where a layer's weight comes from.
struct TrainedLinearSource {
  // The frozen weight; null where `weight` is trained.
  EncodedTensorPtr frozen;
  Parameter* weight = nullptr;
  // Null without one.
  Parameter* bias = nullptr;
  std::optional<LowRankTerm> term;
};

// Thread-compatible; const methods may be called from any number of threads. Matrices are row-major without gaps. The
// gradient of rounded inputs (activation formats) is passed on as it is.
class TrainedLinear {
 public:
  TrainedLinear() = default;
  static absl::StatusOr<TrainedLinear> Create(TrainedLinearSource source, const ComputeOptions& options);

  int64_t outputs() const { return outputs_; }
  int64_t inputs() const { return inputs_; }
  // Of the low-rank term; 0 without one.
  int64_t rank() const { return source_.term ? source_.term->rank() : 0; }
  // Whether Backward and AddGradients have parameters to work for.
  bool trained() const { return source_.weight != nullptr || source_.term.has_value(); }

  // Whether the weight itself is trained.
  bool weight_trained() const { return source_.weight != nullptr; }

  // After the parameters have changed.
  absl::Status Refresh(const ComputeOptions& options);
  // Take one before calling Forward or Backward, and keep it meanwhile: a trained weight is packed for the one pass, so
  // that no copies of all weights lie beside them; see Linear::Hold for frozen ones. The layer must outlive it and must
  // not move.
  enum class Direction { kForward, kBackward };
  absl::StatusOr<std::shared_ptr<const void>> Hold(Direction direction, const ComputeOptions& options);

  // y = W x + b, plus the old y where `accumulate`; on the calling thread. The bits are those of scoring.
  absl::Status Forward(const float* x, int64_t rows, bool accumulate, float* y) const;
  // x_gradient = W^T gradient, plus the old one where `accumulate`; on the calling thread. With a low-rank term,
  // `inner_gradient` [rows, rank] receives the gradient of down x.
  absl::Status Backward(const float* gradient, int64_t rows, bool accumulate, float* x_gradient,
                        float* inner_gradient) const;
  // down x times the scale, [rows, rank]; nothing without a term.
  absl::Status Inner(const float* x, int64_t rows, float* inner) const;

  // What AddGradients reads, alive until the tasks are run.
  struct Pass {
    // The layer's input.
    const ColumnPanels* x = nullptr;
    const float* gradient = nullptr;
    int64_t rows = 0;
    // Of Inner and Backward.
    const float* inner = nullptr;
    const float* inner_gradient = nullptr;
  };
  void AddGradients(const Pass& pass, int threads, GradientTasks& tasks) const;

 private:
  void AddWeightGradients(const Pass& pass, int threads, GradientTasks& tasks) const;
  void AddTermGradients(const Pass& pass, GradientTasks& tasks) const;

  TrainedLinearSource source_;
  int64_t outputs_ = 0, inputs_ = 0;
  // Of a trained weight while it is held, of a frozen one always `transposed_`.
  PackedMatrix packed_, transposed_;
  Linear frozen_;
  // Of the term, each with its transpose.
  PackedMatrix down_, up_, down_transposed_, up_transposed_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_TRAINED_LINEAR_H_
