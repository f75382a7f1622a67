// Rounds float rows to GGUF's blocks as llama.cpp's reference does: ggml-quants.c of
// https://github.com/ggml-org/llama.cpp.
#ifndef TERSOR_CORE_EXPORTS_GGUF_BLOCK_ENCODERS_H_
#define TERSOR_CORE_EXPORTS_GGUF_BLOCK_ENCODERS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

namespace tersor {

struct GgufBlockEncoder {
  // "Q4_K".
  absl::string_view name;
  int64_t values;
  int64_t bytes;
  // One block; the same bits on every instruction set. Thread-safe.
  void (*encode)(const float* values, std::byte* block);
  // The largest |decoded - value| of each value of a block that `encode` may leave.
  void (*tolerance)(const float* values, float* allowed);
};

// Q4_K, Q6_K and MXFP4; null for any other name.
const GgufBlockEncoder* FindGgufBlockEncoder(absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_GGUF_BLOCK_ENCODERS_H_
