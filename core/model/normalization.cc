#include "core/model/normalization.h"

#include "absl/strings/str_cat.h"
#include "core/kernels/layer_norm.h"
#include "core/kernels/vector_ops.h"
#include "core/model/weights.h"

namespace tersor {

absl::StatusOr<Normalization> Normalization::Load(const Model& model, absl::string_view module, int64_t width) {
  Normalization norm;
  norm.epsilon_ = static_cast<float>(model.spec.norm_epsilon);
  TERSOR_ASSIGN_OR_RETURN(norm.weight_, LoadVector(model, absl::StrCat(module, ".weight"), width));
  if (model.spec.norm == NormKind::kRmsPlusOne) {
    for (float& weight : norm.weight_) weight += 1;
  }
  if (model.spec.norm == NormKind::kLayer) {
    TERSOR_ASSIGN_OR_RETURN(norm.bias_, LoadVector(model, absl::StrCat(module, ".bias"), width));
  }
  return norm;
}

void Normalization::Apply(const float* x, int64_t rows, float* y) const {
  if (bias_.empty()) {
    RmsNorm(x, width(), rows, width(), weight_.data(), epsilon_, y, width());
  } else {
    LayerNorm(x, width(), rows, width(), weight_.data(), bias_.data(), epsilon_, y, width());
  }
}

}  // namespace tersor
