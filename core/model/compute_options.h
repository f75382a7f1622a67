// How a model is computed.
#ifndef TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_
#define TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_

namespace tersor {

enum class Precision {
  kF32,
  // Matrix products on bf16 operands with float accumulation; UNIMPLEMENTED where the CPU has no bf16 instructions.
  kBF16,
};

struct ComputeOptions {
  // At least 1. Results do not depend on it.
  int threads = 1;
  Precision precision = Precision::kF32;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_
