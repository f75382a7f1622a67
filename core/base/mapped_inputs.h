// Files that are mapped for reading, and what happens when somebody else changes one meanwhile.
#ifndef TERSOR_CORE_BASE_MAPPED_INPUTS_H_
#define TERSOR_CORE_BASE_MAPPED_INPUTS_H_

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>

#include "core/base/status.h"

namespace tersor {

// Remembers a mapping of `size` bytes, whose file is `info`. From the first on, a read behind the end of a file that
// became shorter (SIGBUS) gives zeros rather than ending the process, and CheckMappedInputs says so. Thread-safe.
void RegisterMappedInput(const std::byte* data, size_t size, const std::filesystem::path& path,
                         const struct stat& info);
// Before it is unmapped.
void UnregisterMappedInput(const std::byte* data);
// The mapping that holds `address`: its size, or 0 where there is none. `begin` receives its first byte.
size_t FindMappedInput(const std::byte* address, const std::byte** begin);

// DATA_LOSS names a file that became shorter while it was mapped (now or earlier in this process), or that is mapped
// and has been written since: nothing that was computed from it may be kept. AtomicFile::Commit and CommitFolder ask
// it, so that no file made of such bytes gets its name; whoever answers otherwise asks it too. Thread-safe.
absl::Status CheckMappedInputs();

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_MAPPED_INPUTS_H_
