// Encodings whose codes LowBitMatrix multiplies. Private to core/model.
#ifndef TERSOR_CORE_MODEL_LOW_BIT_CODES_H_
#define TERSOR_CORE_MODEL_LOW_BIT_CODES_H_

#include <memory>
#include <string>

#include "core/kernels/low_bit_matrix.h"
#include "core/model/linear_kernel.h"

namespace tersor {

struct LowBitCodes {
  LowBitMatrix matrix;
  // "int4 x int8": codes and what their rows are multiplied in.
  std::string name;
};

// Integers in groups.
bool GroupIntCodesFit(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<LowBitCodes> PackGroupIntCodes(const WeightRows& rows, const ComputeOptions& options);
// The same with scales and zero points of integers.
bool BilevelCodesFit(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<LowBitCodes> PackBilevelCodes(const WeightRows& rows, const ComputeOptions& options);
// Values of a code book, FP8 numbers.
bool BookCodesFit(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<LowBitCodes> PackBookCodes(const WeightRows& rows, const ComputeOptions& options);

// Any of them.
bool LowBitCodesFit(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<LowBitCodes> PackLowBitCodes(const WeightRows& rows, const ComputeOptions& options);

// A weight of nothing but codes.
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeLowBitLinear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_LOW_BIT_CODES_H_
