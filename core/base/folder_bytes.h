// How much lies in a folder.
#ifndef TERSOR_CORE_BASE_FOLDER_BYTES_H_
#define TERSOR_CORE_BASE_FOLDER_BYTES_H_

#include <cstdint>
#include <filesystem>

namespace tersor {

// Bytes of all regular files below `folder`; what cannot be read counts nothing, as does a folder that is not there.
int64_t BytesBelow(const std::filesystem::path& folder);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_FOLDER_BYTES_H_
