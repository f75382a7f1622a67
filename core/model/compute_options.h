// How a model is computed.
#ifndef TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_
#define TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/kernels/precision.h"

namespace tersor {

// What linear layers multiply by. Encodings without a kernel of their own are decoded whatever is asked for; products
// over many rows (prefill, scoring) always see the decoded values.
enum class LinearCompute {
  // The weights decoded to float (or bf16).
  kDecoded,
  // Single rows by the stored codes, their activations in float32.
  kEncodedFloat32,
  // Single rows by the stored codes, their activations rounded to 8 bits in blocks of 32 (llama.cpp's Q8_0).
  kEncodedInt8,
};

// "decoded", "float32" or "int8": how users spell them; INVALID_ARGUMENT lists these.
absl::StatusOr<LinearCompute> ParseLinearCompute(absl::string_view name);

struct ComputeOptions {
  // At least 1. Results do not depend on it.
  int threads = 1;
  Precision precision = Precision::kAutomatic;
  LinearCompute linears = LinearCompute::kDecoded;
};

// The same for weights that meet hundreds of rows at a time (scoring), and for gathering statistics of inputs: see
// kernels/cpu_info.h.
ComputeOptions ForManyRows(ComputeOptions options);
ComputeOptions ForCalibration(ComputeOptions options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_COMPUTE_OPTIONS_H_
