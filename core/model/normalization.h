// A model's normalization with its parameters.
#ifndef TERSOR_CORE_MODEL_NORMALIZATION_H_
#define TERSOR_CORE_MODEL_NORMALIZATION_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/model/model.h"

namespace tersor {

// Immutable once loaded and thread-safe; a default one has width 0.
class Normalization {
 public:
  Normalization() = default;

  // The norm of the spec's kind with parameters `module` + ".weight" and, where the kind has one, ".bias".
  static absl::StatusOr<Normalization> Load(const Model& model, absl::string_view module, int64_t width);

  int64_t width() const { return static_cast<int64_t>(weight_.size()); }
  // x [rows, width] -> y [rows, width], on the calling thread; x and y may be the same.
  void Apply(const float* x, int64_t rows, float* y) const;

 private:
  // Of kRmsPlusOne the one is added already.
  std::vector<float> weight_;
  // Of LayerNorm only.
  std::vector<float> bias_;
  float epsilon_ = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_NORMALIZATION_H_
