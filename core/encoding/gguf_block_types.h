// The quantized block types of GGUF: https://github.com/ggml-org/llama.cpp, ggml/src/ggml-common.h.
#ifndef TERSOR_CORE_ENCODING_GGUF_BLOCK_TYPES_H_
#define TERSOR_CORE_ENCODING_GGUF_BLOCK_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

namespace tersor {

// A run of `values` consecutive numbers of a row is stored in `bytes` bytes, of any alignment.
struct GgufBlockType {
  // Number of the type in a GGUF file.
  uint32_t id;
  // "Q4_1".
  absl::string_view name;
  int64_t values;
  int64_t bytes;
  // Decodes `blocks` blocks; the same bits on every instruction set. Thread-safe.
  void (*decode)(const std::byte* in, int64_t blocks, float* out);
};

// The one list of block types that Tersor reads.
std::span<const GgufBlockType> GgufBlockTypes();
// Null where the type is not in the list.
const GgufBlockType* FindGgufBlockType(uint32_t id);
const GgufBlockType* FindGgufBlockType(absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_GGUF_BLOCK_TYPES_H_
