// The one way to open what strangers bring: files of models and data.
#ifndef TERSOR_CORE_BASE_INPUT_FILE_H_
#define TERSOR_CORE_BASE_INPUT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/status.h"

namespace tersor {

// From now on OpenInput opens in this process only what lies below one of these folders (or is one of these files), all
// links resolved: a link inside a folder may lead anywhere inside a folder. Replaces what was said before; without a
// call everything may be opened, as for a person who reads their own files. Thread-safe.
void ConfineInputs(const std::vector<std::filesystem::path>& roots);

// A descriptor of a regular file, which the caller closes. INVALID_ARGUMENT where it is none or leads outside, whatever
// is changed in the folders meanwhile; NOT_FOUND where there is nothing.
absl::StatusOr<int> OpenInput(const std::filesystem::path& path);

// The same for one root.
absl::StatusOr<int> OpenInputBelow(const std::filesystem::path& root, const std::filesystem::path& path);

// The whole file; INVALID_ARGUMENT also where it is larger than `limit`.
absl::StatusOr<std::string> ReadInputFile(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 30);

// Its first `bytes` bytes, or as many as there are.
absl::StatusOr<std::string> ReadInputHead(const std::filesystem::path& path, size_t bytes);

// The file `relative` below the open folder `root`, no link followed; -1 with errno. `with_openat2` false takes the way
// of kernels that have no openat2. For this file and its test.
int OpenBeneath(int root, const std::filesystem::path& relative, bool with_openat2);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_INPUT_FILE_H_
