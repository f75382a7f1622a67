// The metadata section of a GGUF file.
#ifndef TERSOR_CORE_FORMATS_GGUF_METADATA_READER_H_
#define TERSOR_CORE_FORMATS_GGUF_METADATA_READER_H_

#include <cstdint>

#include "core/base/status.h"
#include "core/formats/byte_cursor.h"
#include "core/formats/gguf_value.h"

namespace tersor {

// Reads `count` key-value pairs into `metadata`. INVALID_ARGUMENT names the key whose value lies; arrays of arrays are
// refused, as llama.cpp does. Messages do not name the file: the caller does.
absl::Status ReadGgufMetadata(ByteCursor& cursor, uint64_t count, GgufMetadata& metadata);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_GGUF_METADATA_READER_H_
