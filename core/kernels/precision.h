// Operand type of matrix products.
#ifndef TERSOR_CORE_KERNELS_PRECISION_H_
#define TERSOR_CORE_KERNELS_PRECISION_H_

namespace tersor {

enum class Precision {
  kF32,
  // Matrix products on bf16 operands with float accumulation; UNIMPLEMENTED where the CPU has no bf16 instructions.
  kBF16,
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PRECISION_H_
