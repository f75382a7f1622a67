// Values of GGUF's types, one at a time and straight from the format's description. Private to core/lint.
#ifndef TERSOR_CORE_LINT_RAW_GGUF_BLOCKS_H_
#define TERSOR_CORE_LINT_RAW_GGUF_BLOCKS_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace tersor {

struct RawGgufBlock {
  // GGUF's number and name.
  uint32_t id;
  absl::string_view name;
  int64_t values;
  int64_t bytes;
  // Value `i` of a block.
  double (*value)(const std::byte* block, int64_t i);
};

// Null for types that are not decoded here: those whose codes are rows of a grid would share its table with the reader.
const RawGgufBlock* FindRawGgufBlock(uint32_t id);
const RawGgufBlock* FindRawGgufBlock(absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_RAW_GGUF_BLOCKS_H_
