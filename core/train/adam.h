// AdamW (arXiv 1711.05101) over the trained parameters, with 32-bit state.
#ifndef TERSOR_CORE_TRAIN_ADAM_H_
#define TERSOR_CORE_TRAIN_ADAM_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/train/parameter.h"

namespace tersor {

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  // Of matrices alone.
  double weight_decay = 0;
  // Gradients whose norm over all parameters is above it are scaled down to it; 0: never.
  double clip_norm = 0;
};

// Thread-compatible.
class Adam {
 public:
  // `parameters` must outlive it.
  Adam(const AdamOptions& options, ParameterMap& parameters, int threads);

  // Changes the trained parameters by their gradients; returns the gradient's norm over all of them before clipping.
  // The same bits on any number of threads. Where the norm is not finite nothing is changed, and INVALID_ARGUMENT names
  // a parameter whose gradient is not.
  absl::StatusOr<double> Step(double learning_rate);
  int64_t steps() const { return steps_; }

  // First and second moments by the parameter's name, for checkpoints.
  struct Moments {
    std::vector<float> first, second;
  };
  const std::map<std::string, Moments>& moments() const { return moments_; }
  // INVALID_ARGUMENT where the moments are not those of the trained parameters.
  absl::Status Restore(std::map<std::string, Moments> moments, int64_t steps);

 private:
  absl::StatusOr<double> GradientNorm() const;

  AdamOptions options_;
  ParameterMap& parameters_;
  int threads_;
  int64_t steps_ = 0;
  std::map<std::string, Moments> moments_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_ADAM_H_
