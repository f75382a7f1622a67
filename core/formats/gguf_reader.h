// GGUF: magic, version, metadata, tensor table, then aligned tensor bytes; little-endian.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#ifndef TERSOR_CORE_FORMATS_GGUF_READER_H_
#define TERSOR_CORE_FORMATS_GGUF_READER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/formats/gguf_value.h"

namespace tersor {

// A file's metadata and tensors. Tensors view the mapped file and keep it mapped: F32, F16 and BF16 as "dense", block
// types as "gguf-block"; shapes row-major (GGUF's dimensions reversed), rows in the file's order.
struct GgufFile {
  GgufMetadata metadata;
  std::map<std::string, EncodedTensorPtr, std::less<>> tensors;
  // The file, or all parts of a model that was split; empty for bytes in memory.
  std::vector<std::filesystem::path> paths;
};

// INVALID_ARGUMENT names the file and the key or tensor that lies: counts, strings or offsets past the end, overlaps,
// misaligned offsets, names or keys that stand twice, shapes that overflow. UNIMPLEMENTED names the tensor whose type
// Tersor does not read, and GGUF versions other than 2 and 3 (they have the same layout).
// The first part of a split model (gguf_split.h) brings the others, which must lie beside it: INVALID_ARGUMENT names
// the one that is missing, is no such part or does not have the tensors that the first one counts.
absl::StatusOr<GgufFile> ReadGguf(const std::filesystem::path& path);

// The same over bytes in memory; `owner` keeps them alive, `name` stands in messages for the file.
absl::StatusOr<GgufFile> ParseGguf(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                                   absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_GGUF_READER_H_
