#include "core/train/trained_norm.h"

#include "absl/strings/str_cat.h"
#include "core/kernels/layer_norm.h"
#include "core/kernels/norm_gradients.h"
#include "core/kernels/vector_ops.h"

namespace tersor {

absl::StatusOr<TrainedNorm> TrainedNorm::Create(const ModelSpec& spec, absl::string_view module,
                                                ParameterMap& parameters) {
  TrainedNorm norm;
  norm.kind_ = spec.norm;
  norm.epsilon_ = static_cast<float>(spec.norm_epsilon);
  norm.weight_ = FindParameter(parameters, absl::StrCat(module, ".weight"));
  norm.bias_ = FindParameter(parameters, absl::StrCat(module, ".bias"));
  if (norm.weight_ == nullptr || (norm.kind_ == NormKind::kLayer) != (norm.bias_ != nullptr)) {
    return absl::NotFoundError(absl::StrCat("the model has not the parameters of norm ", module));
  }
  norm.Refresh();
  return norm;
}

void TrainedNorm::Refresh() {
  if (weight_ == nullptr) return;
  factors_ = weight_->values;
  if (kind_ != NormKind::kRmsPlusOne) return;
  for (float& factor : factors_) factor += 1;
}

void TrainedNorm::Forward(const float* x, int64_t rows, float* y) const {
  if (bias_ == nullptr) return RmsNorm(x, width(), rows, width(), factors_.data(), epsilon_, y, width());
  LayerNorm(x, width(), rows, width(), factors_.data(), bias_->values.data(), epsilon_, y, width());
}

void TrainedNorm::Backward(const float* x, const float* gradient, int64_t rows, bool accumulate,
                           float* x_gradient) const {
  const NormShape shape = {width(), epsilon_, bias_ != nullptr};
  BackpropagateNorm(shape, x, factors_.data(), gradient, rows, accumulate, x_gradient);
}

void TrainedNorm::AddGradients(const float* x, const float* gradient, int64_t rows, GradientTasks& tasks) const {
  if (weight_ == nullptr || !weight_->trained()) return;
  const NormShape shape = {width(), epsilon_, bias_ != nullptr};
  tasks.Add([=, weight = weight_, bias = bias_] {
    AddNormWeightGradient(shape, x, gradient, rows, weight->gradient.data(),
                          bias == nullptr ? nullptr : bias->gradient.data());
  });
}

}  // namespace tersor
