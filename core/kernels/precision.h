// Operand type of matrix products.
#ifndef TERSOR_CORE_KERNELS_PRECISION_H_
#define TERSOR_CORE_KERNELS_PRECISION_H_

namespace tersor {

enum class Precision {
  kF32,
  // Matrix products on bf16 operands with float accumulation; UNIMPLEMENTED where the CPU has no bf16 instructions.
  kBF16,
  // As exact as kF32, from products of bf16 terms (a float is the sum of three; arXiv 1904.06376): faster than kF32
  // over many rows where the CPU has AMX, slower over few, and up to half as large again. UNIMPLEMENTED as kBF16.
  kF32Terms,
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PRECISION_H_
