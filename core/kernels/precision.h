// Operand type of matrix products.
#ifndef TERSOR_CORE_KERNELS_PRECISION_H_
#define TERSOR_CORE_KERNELS_PRECISION_H_

namespace tersor {

enum class Precision {
  // Nobody asked: float32, or what ForCalibration and ForManyRows (cpu_info.h) choose for it.
  kAutomatic,
  kF32,
  // Matrix products on bf16 operands with float accumulation; UNIMPLEMENTED where the CPU has no bf16 instructions.
  kBF16,
  // Each number as the sum of bf16 terms (arXiv 1904.06376), the products of terms that count, float accumulation.
  // Faster than kF32 over many rows where the CPU has AMX, slower over few; UNIMPLEMENTED as kBF16.
  // Two terms: three products, relative error of a product under 2^-17. Three: six products, as exact as kF32, half as
  // large again.
  kTwoTerms,
  kThreeTerms,
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PRECISION_H_
