// A normalization with its backward pass.
#ifndef TERSOR_CORE_TRAIN_TRAINED_NORM_H_
#define TERSOR_CORE_TRAIN_TRAINED_NORM_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/model/model_spec.h"
#include "core/train/gradient_tasks.h"
#include "core/train/parameter.h"

namespace tersor {

// Thread-compatible; const methods may be called from any number of threads. A default one has width 0.
class TrainedNorm {
 public:
  TrainedNorm() = default;
  // Of parameters `module` + ".weight" and, where the spec's kind has one, ".bias"; NOT_FOUND names what is missing.
  static absl::StatusOr<TrainedNorm> Create(const ModelSpec& spec, absl::string_view module, ParameterMap& parameters);

  int64_t width() const { return weight_ == nullptr ? 0 : weight_->columns; }
  // After the parameters have changed.
  void Refresh();

  // x [rows, width] -> y; the bits are those of scoring. x and y may be the same.
  void Forward(const float* x, int64_t rows, float* y) const;
  // gradient (y's) -> x_gradient, added to where `accumulate`; they may be the same.
  void Backward(const float* x, const float* gradient, int64_t rows, bool accumulate, float* x_gradient) const;
  // Adds the parameters' gradients once the tasks are run; x and gradient must live until then.
  void AddGradients(const float* x, const float* gradient, int64_t rows, GradientTasks& tasks) const;

 private:
  Parameter* weight_ = nullptr;
  // Null without one.
  Parameter* bias_ = nullptr;
  NormKind kind_ = NormKind::kRms;
  float epsilon_ = 0;
  // What rows are multiplied by.
  std::vector<float> factors_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_TRAINED_NORM_H_
