// SHA-256 of a model's files, remembered while their size and time do not change.
#ifndef TERSOR_CORE_PIPELINE_CONTENT_HASH_H_
#define TERSOR_CORE_PIPELINE_CONTENT_HASH_H_

#include <filesystem>
#include <string>

#include "core/base/status.h"

namespace tersor {

// Over the sorted names and contents of the file, or of a folder's files of the kinds that make a model (weights,
// config, tokenizer, manifest). File digests are kept in CACHE_DIR/digests, keyed by path, size, inode and modification
// time; an empty `cache_dir` keeps none. A cache that cannot be read or written costs time, never correctness.
absl::StatusOr<std::string> ModelContentHash(const std::filesystem::path& model,
                                             const std::filesystem::path& cache_dir);

// Of a container of ours: what it computes, whatever program, recipe and source it came from. Two jobs that compress
// one model alike have the same, although their recipes evaluate it otherwise.
absl::StatusOr<std::string> ContainerContentHash(const std::filesystem::path& container);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_CONTENT_HASH_H_
