// Dense packing of small unsigned integers, little-endian: element i lies at bit i * bits of the row.
#ifndef TERSOR_CORE_TENSOR_PACKED_INTS_H_
#define TERSOR_CORE_TENSOR_PACKED_INTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/status.h"

namespace tersor {

inline constexpr int kMinPackedBits = 2;
inline constexpr int kMaxPackedBits = 8;

// Bytes of a row of `count` elements; the last byte is padded with zero bits. -1 where bits are outside 2..8 or the
// count is negative or over 2^59.
int64_t PackedBytes(int64_t count, int bits);

// Packs `values` into `packed`, which must be PackedBytes long. INVALID_ARGUMENT names the first value that needs more
// than `bits` bits, or a length that does not match.
absl::Status PackInts(std::span<const uint8_t> values, int bits, std::span<std::byte> packed);

// Unpacks values.size() elements, from element `first` on. OUT_OF_RANGE where `packed` holds fewer.
absl::Status UnpackInts(std::span<const std::byte> packed, int bits, int64_t first, std::span<uint8_t> values);

}  // namespace tersor

#endif  // TERSOR_CORE_TENSOR_PACKED_INTS_H_
