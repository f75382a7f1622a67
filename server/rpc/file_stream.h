// Sends a file in chunks.
#ifndef TERSOR_SERVER_RPC_FILE_STREAM_H_
#define TERSOR_SERVER_RPC_FILE_STREAM_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/functional/function_ref.h"
#include "core/base/status.h"

namespace tersor {

// Calls `write` with the bytes of the file, which lies below `root` whatever its links say, from `offset` on, 1 MiB at
// a time, and with its size when it was opened. An empty rest gives one empty chunk. OUT_OF_RANGE for an offset past
// the end, CANCELLED when `write` answers false.
absl::Status StreamFile(const std::filesystem::path& root, const std::filesystem::path& path, int64_t offset,
                        absl::FunctionRef<bool(std::string chunk, int64_t total_bytes)> write);

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_FILE_STREAM_H_
