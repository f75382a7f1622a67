// GGUF models in several files, as llama-gguf-split and converters write them: NAME-00001-of-00003.gguf and so on. The
// first part's metadata is the model's; every part says its number, how many there are and how many tensors there are
// in all (split.no, split.count, split.tensors.count).
#ifndef TERSOR_CORE_FORMATS_GGUF_SPLIT_H_
#define TERSOR_CORE_FORMATS_GGUF_SPLIT_H_

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/base/status.h"
#include "core/formats/gguf_value.h"

namespace tersor {

// The files of the model whose first part is `path`, by their names; `path` alone where its name is not that of a first
// part of several.
std::vector<std::filesystem::path> GgufPartPaths(const std::filesystem::path& path);

// What a part says of itself; {0, 1, -1} where the file is whole.
struct GgufPart {
  int64_t number = 0;
  int64_t count = 1;
  // Of all parts; -1 where it does not say.
  int64_t tensors = -1;
};

// INVALID_ARGUMENT where the keys contradict each other.
absl::StatusOr<GgufPart> ReadGgufPart(const GgufMetadata& metadata);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_GGUF_SPLIT_H_
