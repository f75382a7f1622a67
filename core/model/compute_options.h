// How a model is computed.
#ifndef TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_
#define TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_

#include "core/kernels/precision.h"

namespace tersor {

struct ComputeOptions {
  // At least 1. Results do not depend on it.
  int threads = 1;
  Precision precision = Precision::kF32;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_
